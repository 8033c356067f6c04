"""Picture files to RGB: formats, EXIF, alpha and bit depth, without tensors, so that reading one needs no PyTorch."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import simplejpeg
from jaxtyping import Shaped, UInt8, UInt16
from numpy import ndarray
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from ganstyle.errors import ImageError, suggestion

Pixels = UInt8[ndarray, "_ _ 3"]
"""RGB bytes of one picture, rows x columns x channels."""

Integers = UInt8[ndarray, "_ _ 3"] | UInt16[ndarray, "_ _ 3"]
"""RGB of one picture, 8 or 16 bits each."""

READABLE = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"})
FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
OPTIONS: dict[str, dict[str, object]] = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"quality": 95}}
LARGEST = 100_000_000
"""Pixels; a larger file is taken for a decompression bomb unless the caller says otherwise."""
APP1, SOS = b"\xe1", b"\xda"
"""Bytes that mark the parts of a JPEG which hold EXIF or XMP, and the beginning of its pixels."""
ORIENTATION, PHOTOMETRIC = 0x0112, 262
"""EXIF and TIFF tags: which way is up, what a picture's numbers stand for."""
WHITE_IS_ZERO = 0
"""What PHOTOMETRIC says of gray whose larger numbers are darker."""
DEEP_GRAY = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
"""Pillow's modes of gray of more than 8 bits."""
Layers = TypeVar("Layers", bound=Shaped[ndarray, "..."])
"""The EXIF tag; values from 5 mean that the picture lies on its side."""
MARGIN = 1.6
"""A JPEG is decoded at a half, a quarter or an eighth of its size where that is so many times what is wanted: shrunk
from there it is at least 34 dB from the same picture decoded whole (tests/data/test_sized.py)."""
PLAIN_COLOR = 1.1
"""A JPEG that shrinks by so much is decoded without smoothing its colors, most of which come at half resolution."""
LEAST_REDUCED = 64
"""Pixels; the sides of smaller pictures round too coarsely to be halved."""


def is_picture(path: Path) -> bool:
    """Say whether a path is named like a picture that can be read."""
    return path.suffix.lower() in READABLE and not path.name.startswith(".")


def read(path: Path | str, *, largest: int = LARGEST, at_least: tuple[int, int] | None = None) -> Pixels:
    """Decode a picture as it is meant to be seen: RGB, upright, 8 bits, transparency over white.

    Grey, palette, CMYK and 16-bit files are converted, color profiles are not applied; the content decides about the
    format, not the name. With
    `at_least` (height, width), a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, but no smaller than that.

    Raises:
        ImageError: missing, not a picture, truncated, or of more than `largest` pixels.
    """
    with opened(Path(path), str(path), largest) as picture:
        if at_least is not None:
            picture.draft(None, (max(at_least), max(at_least)))
        picture.load()
        return from_pillow(picture)


def from_pillow(picture: Pillow.Image) -> Pixels:
    """Turn a decoded picture of any mode into RGB bytes, upright, transparency over white."""
    return np.array(_rgb(ImageOps.exif_transpose(picture), white_is_zero(picture)))


def white_is_zero(picture: Pillow.Image) -> bool:
    """Whether a TIFF's gray of 16 bits is darker where its numbers are larger, which no decoder looks at."""
    tags = getattr(picture, "tag_v2", {}) if picture.mode in DEEP_GRAY else {}
    return tags.get(PHOTOMETRIC) == WHITE_IS_ZERO


def content_of(path: Path) -> bytes:
    """Read a picture file whole; raises ImageError in one sentence if that fails."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"there is no picture {path}.") from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror or error}.") from None


class Reduced(NamedTuple):
    """A decoded picture as it lies in its file, perhaps smaller."""

    pixels: Pixels
    height: float
    """Rows that the whole picture takes; where that is no whole number, the last row is filled in part."""
    width: float
    orientation: int
    """EXIF's number for how to turn it upright (see `upright`)."""


def decode(content: bytes, name: str, at_least: tuple[int, int], *, largest: int = LARGEST) -> Reduced:
    """Decode the bytes of a picture, a JPEG at a reduced scale where `at_least` (upright height, width) allows it.

    Args:
        content: a whole file.
        name: what the picture is called in messages.
        at_least: the size that the picture will be shrunk to; `MARGIN` times it is decoded at least.
        largest: pixels; a larger picture is refused.

    Raises:
        ImageError: not a picture, truncated, or too large.
    """
    if (size := _plain_jpeg(content)) and size[0] * size[1] <= largest:
        fast = _decode_jpeg(content, size, 1, at_least)
        if fast is not None:
            return fast
    with opened(BytesIO(content), name, largest) as picture:
        if picture.format in ("JPEG", "MPO") and picture.mode in ("RGB", "L"):
            orientation = int(picture.getexif().get(ORIENTATION, 1))
            fast = _decode_jpeg(content, (picture.height, picture.width), orientation, at_least)
            if fast is not None:
                return fast
        picture.load()
        pixels = from_pillow(picture)
        return Reduced(pixels, float(pixels.shape[0]), float(pixels.shape[1]), 1)


def _plain_jpeg(content: bytes) -> tuple[int, int] | None:
    """Return height and width of a JPEG in RGB or grey that says nothing of its orientation; None for any other file.

    Opening such a file with Pillow would take a tenth of the time that decoding it takes.
    """
    at = 2
    while content[at : at + 1] == b"\xff" and content[at + 1 : at + 2] not in (APP1, SOS, b""):
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    if content[:3] != b"\xff\xd8\xff" or content[at : at + 2] != b"\xff" + SOS:
        return None
    try:
        height, width, colors, _ = simplejpeg.decode_jpeg_header(content)
    except ValueError:
        return None
    return (height, width) if colors in ("RGB", "YCbCr", "Gray") else None


def _decode_jpeg(content: bytes, size: tuple[int, int], orientation: int, at_least: tuple[int, int]) -> Reduced | None:
    """Decode a JPEG by libjpeg-turbo; None for one with a fault, about which Pillow is to decide."""
    tall, wide = reversed(at_least) if orientation >= 5 else at_least
    height, width = size
    room = min(height / tall, width / wide) if min(height, width) >= LEAST_REDUCED else 1.0
    divisor = next((divisor for divisor in (8, 4, 2) if room >= MARGIN * divisor), 1)
    least = {"min_height": -(-height // divisor), "min_width": -(-width // divisor), "min_factor": 1}
    try:
        pixels = simplejpeg.decode_jpeg(content, "RGB", fastupsample=room >= PLAIN_COLOR, **least)
    except ValueError:
        return None
    return Reduced(pixels, height / divisor, width / divisor, orientation)


def upright(pixels: Layers, orientation: int) -> Layers:
    """Turn and mirror rows x columns (x channels) as EXIF's orientation, 1 to 8, asks; other numbers leave it."""
    turned: Any = pixels.swapaxes(0, 1) if orientation in (5, 6, 7, 8) else pixels
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return cast(Layers, np.ascontiguousarray(turned))


class Header(NamedTuple):
    """What a picture file says of itself before it is decoded."""

    height: int
    width: int
    mode: str
    """Pillow's name for channels and depth, e.g. RGB, CMYK, I;16."""
    format: str
    """By content, not by name, e.g. JPEG."""


def header(path: Path | str, *, largest: int = LARGEST, content: bytes | None = None) -> Header:
    """Return size (as `read` would show it, upright), mode and format without decoding.

    With `content`, these bytes are looked at and the path is only their name.

    Raises:
        ImageError: missing, not a picture, or of more than `largest` pixels.
    """
    with opened(Path(path) if content is None else BytesIO(content), str(path), largest) as picture:
        width, height = picture.size
        kind = picture.format or ""
        lies = kind != "TIFF" and picture.getexif().get(ORIENTATION, 1) >= 5
        return Header(*((width, height) if lies else (height, width)), picture.mode, kind)


def dimensions(path: Path | str) -> tuple[int, int]:
    """Return height and width of a picture from its header alone; raises ImageError as `header` does."""
    return header(path)[:2]


@contextmanager
def opened(file: Path | BytesIO, path: str, largest: int) -> Iterator[Pillow.Image]:
    """Open a file or its bytes, and put whatever goes wrong into one sentence, in which it is called `path`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(file) as picture:
                _refuse_bomb(picture, path, largest)
                yield picture
    except FileNotFoundError:
        raise ImageError(f"there is no picture {path}.") from None
    except IsADirectoryError:
        raise ImageError(f"{path} is a folder, not a picture.") from None
    except UnidentifiedImageError:
        size = file.getbuffer().nbytes if isinstance(file, BytesIO) else file.stat().st_size
        raise ImageError(f"{path} is not a picture that can be read ({size:,} bytes).") from None
    except Pillow.DecompressionBombError:
        raise ImageError(f"{path} has more pixels than the {largest:,} that are allowed.") from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise ImageError(f"{path} is damaged or cut short ({error}).") from None


def _refuse_bomb(picture: Pillow.Image, path: str, largest: int) -> None:
    """Refuse a picture by the size that its header claims, before a pixel is decoded."""
    width, height = picture.size
    if width * height > largest:
        raise ImageError(f"{path} has {width} x {height} pixels, more than the {largest:,} that are allowed.")


def _rgb(picture: Pillow.Image, negative: bool) -> Pillow.Image:
    """Convert any mode to RGB: deep gray by scaling, transparency over white."""
    if picture.mode in DEEP_GRAY:
        return _from_deep_gray(picture, negative)
    if is_clear(picture):
        layer = picture.convert("RGBA")
        return Pillow.alpha_composite(Pillow.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return picture.convert("RGB")


def is_clear(picture: Pillow.Image) -> bool:
    """Whether a picture may be transparent somewhere."""
    return picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info


def _from_deep_gray(picture: Pillow.Image, negative: bool) -> Pillow.Image:
    """Scale gray of more than 8 bits to 8; Pillow alone would clip it to white."""
    values = np.asarray(picture).astype(np.float64)
    light = np.clip(values / _white(picture, values.max(initial=0.0)), 0.0, 1.0)
    if negative:
        light = 1.0 - light
    if (clear := picture.info.get("transparency")) is not None:
        light[values == clear] = 1.0
    return Pillow.fromarray(np.rint(light * 255.0).astype(np.uint8)).convert("RGB")


def _white(picture: Pillow.Image, brightest: float) -> float:
    """Say which value is white: 65535 in 16 bits, else the least usual one that the brightest does not exceed."""
    if picture.mode.startswith("I;16") or picture.format == "PNG":
        return 65535.0
    usual = (1.0, 255.0) if picture.mode == "F" else (255.0,)
    return next((white for white in usual if brightest <= white), 65535.0)


def format_of(path: Path) -> str:
    """Say in which format a path is written, by its suffix; raises ImageError when there is none."""
    name = FORMATS.get(path.suffix.lower())
    if name is None:
        raise ImageError(f"cannot write {path}: unknown format {path.suffix!r}{suggestion(path.suffix, FORMATS)}")
    return name
