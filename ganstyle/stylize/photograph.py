"""A photograph as a file holds it: 8 or 16 bits, transparency, color profile and metadata; and the way back."""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Shaped, UInt8, UInt16
from numpy import ndarray
from PIL import Image as Pillow

from ganstyle import decode
from ganstyle.decode import ORIENTATION, Integers, content_of, upright, white_is_zero
from ganstyle.errors import ImageError
from ganstyle.stylize.colorspace import cmyk_to_srgb, gray_to_srgb, is_gray
from ganstyle.stylize.metadata import iptc_of, texts_of, written, xmp_of

LARGEST = 1_000_000_000
"""Pixels; a larger file is taken for a decompression bomb."""
HISTORY, BITS_PER_SAMPLE = 0x9213, 258
"""EXIF and TIFF tags: what has been done to the image, and how deep it is."""
Alpha = Shaped[ndarray, "height width"]
WORDS = (270, 271, 272, 305, 306, 315, 33432, 34665, 34853)
"""The tags of a TIFF that say something about the picture and not about the file: description, author, EXIF, GPS ..."""
BAND = 256
"""Rows that are converted at once."""
ONE_CHANNEL = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "F")


@dataclass(frozen=True)
class Photograph:
    """What a file holds, upright."""

    pixels: Integers
    alpha: Alpha | None = None
    """In the same depth; 0 is transparent. The colors of transparent pixels are kept as they are."""
    profile: bytes | None = None
    """The ICC profile of the colors; of a gray file, whose three channels are equal, one of gray; none for a CMYK file,
    whose colors are turned into sRGB."""
    exif: bytes | None = None
    """Without the orientation, which is applied."""
    xmp: bytes | None = None
    """With the orientation of an upright picture."""
    dpi: tuple[float, float] | None = None
    sha256: str = ""
    """Of the file."""
    recipe: str | None = None
    """What the EXIF tag ImageHistory says: in our own outputs, how they were made."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """By keyword: a PNG's, or as "Comment" a JPEG's comment."""
    iptc: bytes | None = None
    """The IPTC record of a JPEG or TIFF."""
    unwritable: tuple[str, ...] = ()
    """Names of the EXIF tags that the file has and `exif` has not, because they cannot be written."""
    frames: int = 1
    """Pictures in the file, an animation's or pages, of which this is the first."""


def colored(photo: Photograph) -> Photograph:
    """Turn gray of its own profile into sRGB, so that there is room for colors; others are returned as they are."""
    if photo.profile is None or not is_gray(photo.profile):
        return photo
    return replace(photo, pixels=gray_to_srgb(photo.pixels, photo.profile), profile=None)


def read(path: Path) -> Photograph:
    """Read a picture file; raises ImageError when it is missing, not a picture, damaged or too large."""
    return decoded(content_of(path), str(path))


def decoded(content: bytes, name: str) -> Photograph:
    """Decode a picture that the user knows by a name; raises ImageError as `read` does."""
    with decode.opened(BytesIO(content), name, LARGEST) as picture:
        deep = _is_deep(picture, content)
        lying, veil = _deep(picture, content, name) if deep else _shallow(picture)
        turn = picture.getexif().get(ORIENTATION, 1)  # of a TIFF, decoding has applied it already
        pixels, alpha = upright(lying, turn), None if veil is None else upright(veil, turn)
        exif = picture.getexif()
        recipe = exif.pop(HISTORY, None)
        for tag in [tag for tag in exif if tag == ORIENTATION or (picture.format == "TIFF" and tag not in WORDS)]:
            del exif[tag]
        known = written(exif)
        return Photograph(
            pixels,
            alpha,
            _profile(picture),
            known.content,
            xmp_of(picture),
            _dpi(picture.info.get("dpi")),
            hashlib.sha256(content).hexdigest(),
            recipe if isinstance(recipe, str) else None,
            texts_of(picture),
            iptc_of(picture),
            known.left_out,
            _frames(picture),
        )


def _frames(picture: Pillow.Image) -> int:
    """Count the pictures in a file; what follows a camera's JPEG is a preview of the same."""
    if picture.format == "MPO":
        return 1
    try:
        return int(getattr(picture, "n_frames", 1))
    except (OSError, SyntaxError, ValueError, EOFError, struct.error):
        return 1


def _profile(picture: Pillow.Image) -> bytes | None:
    """Find the profile that fits the channels as they are decoded."""
    found = picture.info.get("icc_profile")
    if not isinstance(found, bytes) or picture.mode == "CMYK":
        return None
    return found if picture.mode not in ONE_CHANNEL or is_gray(found) else None


def _dpi(value: Any) -> tuple[float, float] | None:
    """Understand a resolution; one dot per inch is what Pillow says of a TIFF that says nothing."""
    if not isinstance(value, tuple) or len(value) != 2 or value == (1, 1):
        return None
    return float(value[0]), float(value[1])


def _is_deep(picture: Pillow.Image, content: bytes) -> bool:
    """Whether a file has 16 bits for each channel, of which Pillow would keep 8."""
    if picture.format == "PNG":
        return content[24] == 16
    bits = picture.tag_v2.get(BITS_PER_SAMPLE, (8,)) if picture.format == "TIFF" else (8,)  # type: ignore[attr-defined]
    return max(bits) == 16 and picture.mode != "CMYK"


def _shallow(picture: Pillow.Image) -> tuple[Integers, Alpha | None]:
    """Decode 8 bits."""
    if picture.mode == "CMYK":
        return np.array(cmyk_to_srgb(picture)), None
    if decode.is_clear(picture):
        layers = _converted(picture, "RGBA")
        return np.ascontiguousarray(layers[..., :3]), np.ascontiguousarray(layers[..., 3])
    if picture.mode.startswith(("I", "F")):
        return decode.from_pillow(picture), None
    return _converted(picture, "RGB"), None


def _converted(picture: Pillow.Image, mode: str) -> UInt8[ndarray, "height width channels"]:
    """Convert to 8-bit channels band by band: the whole at once would be in memory five times."""
    picture.load()  # which turns a TIFF, and with it its size
    width, height = picture.size
    layers = np.empty((height, width, len(mode)), np.uint8)
    for top in range(0, height, BAND):
        band = picture.crop((0, top, width, min(top + BAND, height)))
        layers[top : top + BAND] = np.asarray(band.convert(mode))
    return layers


def _deep(picture: Pillow.Image, content: bytes, name: str) -> tuple[Integers, Alpha | None]:
    """Decode all 16 bits."""
    layers = cv2.imdecode(np.frombuffer(_lying(content), np.uint8), cv2.IMREAD_UNCHANGED)
    if layers is None or layers.dtype != np.uint16:
        raise ImageError(f"{name} has 16 bits in a way that cannot be read; save it as PNG or as TIFF without layers.")
    if layers.ndim == 2:
        return _deep_gray(picture, layers)
    alpha = np.ascontiguousarray(layers[..., 3]) if layers.shape[2] == 4 else None
    return np.ascontiguousarray(layers[..., 2::-1]), alpha


def _deep_gray(picture: Pillow.Image, values: UInt16[ndarray, "height width"]) -> tuple[Integers, Alpha | None]:
    """Apply to 16 bits of gray what OpenCV leaves: which end is white in a TIFF, the one transparent gray of a PNG."""
    if white_is_zero(picture):
        values = ~values
    clear = picture.info.get("transparency")
    alpha = None if clear is None else np.where(values == clear, 0, np.iinfo(np.uint16).max).astype(np.uint16)
    return np.repeat(values[..., None], 3, axis=2), alpha


def _lying(content: bytes) -> bytes:
    """Have a TIFF say that it is upright: OpenCV would apply half of its orientation."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(content[:4])
    if order is None:
        return content
    (directory,) = struct.unpack_from(f"{order}I", content, 4)
    (count,) = struct.unpack_from(f"{order}H", content, directory)
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        if struct.unpack_from(f"{order}H", content, entry)[0] == ORIENTATION:
            return content[: entry + 8] + struct.pack(f"{order}HH", 1, 0) + content[entry + 12 :]
    return content
