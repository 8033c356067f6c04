"""Picture files to RGB: formats, EXIF, alpha and bit depth, without tensors, so that reading one needs no PyTorch."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8, UInt16
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
ORIENTATION = 0x0112
"""The EXIF tag; values from 5 mean that the picture lies on its side."""


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
    return np.array(_rgb(ImageOps.exif_transpose(picture)))


class Header(NamedTuple):
    """What a picture file says of itself before it is decoded."""

    height: int
    width: int
    mode: str
    """Pillow's name for channels and depth, e.g. RGB, CMYK, I;16."""
    format: str
    """By content, not by name, e.g. JPEG."""


def header(path: Path | str, *, largest: int = LARGEST) -> Header:
    """Return size (as `read` would show it, upright), mode and format without decoding.

    Raises:
        ImageError: missing, not a picture, or of more than `largest` pixels.
    """
    with opened(Path(path), str(path), largest) as picture:
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


def _rgb(picture: Pillow.Image) -> Pillow.Image:
    """Convert any mode to RGB: deep grey by scaling, transparency over white."""
    if picture.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I", "F"):
        return _from_deep_grey(picture)
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        return Pillow.alpha_composite(Pillow.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return picture.convert("RGB")


def _from_deep_grey(picture: Pillow.Image) -> Pillow.Image:
    """Scale 16-bit (or 0 to 1 float) grey to 8 bits; Pillow alone would clip it to white."""
    values = np.asarray(picture).astype(np.float64)
    top = 1.0 if picture.mode == "F" and values.max(initial=0.0) <= 1.0 else 65535.0
    return Pillow.fromarray(np.rint(np.clip(values / top, 0.0, 1.0) * 255.0).astype(np.uint8)).convert("RGB")


def format_of(path: Path) -> str:
    """Say in which format a path is written, by its suffix; raises ImageError when there is none."""
    name = FORMATS.get(path.suffix.lower())
    if name is None:
        raise ImageError(f"cannot write {path}: unknown format {path.suffix!r}{suggestion(path.suffix, FORMATS)}")
    return name
