"""Files to tensors and back: the only module that knows [0, 255] and padding; `decode` reads, this writes."""

import io
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from PIL import Image as Pillow
from PIL import ImageDraw
from PIL.JpegImagePlugin import JpegImageFile
from torch import Tensor

from ganstyle.beside import beside
from ganstyle.decode import (
    FORMATS,
    LARGEST,
    OPTIONS,
    ORIENTATION,
    READABLE,
    Header,
    Pixels,
    dimensions,
    format_of,
    from_pillow,
    header,
    is_picture,
    opened,
    read,
)
from ganstyle.errors import ImageError, ShapeError
from ganstyle.types import Image

__all__ = [
    "FORMATS",
    "LARGEST",
    "OPTIONS",
    "ORIENTATION",
    "READABLE",
    "Header",
    "Pixels",
    "crop",
    "dimensions",
    "format_of",
    "from_pillow",
    "grid",
    "header",
    "in_range",
    "is_picture",
    "jpeg_quality",
    "opened",
    "pad",
    "planes",
    "read",
    "recompress",
    "resize",
    "to_tensor",
    "to_uint8",
    "write",
]

cv2.setNumThreads(0)  # its pool of threads does not survive the fork that makes a loader's workers
LABEL_HEIGHT = 18
READABLE_SIDE = 192
"""Pixels; pictures in a grid are enlarged by a whole number as long as they stay within this."""


def to_tensor(pixels: UInt8[ndarray, "height width 3"]) -> Float[Tensor, "3 height width"]:
    """Turn RGB bytes into an image in [-1, 1], channels first."""
    return in_range(planes(pixels))


def planes(pixels: UInt8[ndarray, "height width 3"]) -> UInt8[Tensor, "3 height width"]:
    """Turn RGB bytes into a tensor of bytes, channels first."""
    return torch.from_numpy(np.array(pixels.transpose(2, 0, 1), order="C"))


def in_range(image: UInt8[Tensor, "*batch 3 height width"]) -> Float[Tensor, "*batch 3 height width"]:
    """Turn bytes into images in [-1, 1], on whatever device they are: the same bits on all of them."""
    return image.float().div_(127.5).sub_(1.0)


def to_uint8(image: Float[Tensor, "*batch 3 height width"]) -> UInt8[ndarray, "*batch height width 3"]:
    """Turn images in [-1, 1] into RGB bytes, channels last; values outside are clipped, halves round to even."""
    scaled = (image.detach().float().cpu() + 1.0) * 127.5
    return scaled.clamp(0.0, 255.0).round().to(torch.uint8).movedim(-3, -1).contiguous().numpy()


def resize(pixels: Pixels, height: int, width: int) -> UInt8[ndarray, "{height} {width} 3"]:
    """Scale bytes to a size: by area when shrinking, bicubic when growing."""
    shrinks = height <= pixels.shape[0] and width <= pixels.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), dtype=np.uint8)


def write(image: Float[Tensor, "3 height width"] | Pixels, path: Path | str) -> None:
    """Encode a picture in the format its suffix names, whole or not at all.

    Raises:
        ImageError: the suffix names no format that can be written, or the folder cannot be written to.
    """
    path = Path(path)
    name = format_of(path)
    pixels = to_uint8(image) if isinstance(image, Tensor) else image
    try:
        _write_atomically(Pillow.fromarray(pixels), path, name)
    except OSError as error:
        raise ImageError(f"cannot write {path}: {error.strerror or error}.") from None


def recompress(pixels: Pixels, quality: int) -> Pixels:
    """Show a picture as it looks after being saved as JPEG of a quality from 1 to 100."""
    with _jpeg(pixels, quality) as picture:
        return np.array(picture)


def jpeg_quality(path: Path | str) -> int | None:
    """Say with which quality, from 1 to 100, a JPEG was saved; None for other formats.

    It is the quality at which this library would round the brightness as coarsely.

    Raises:
        ImageError: missing or not a picture.
    """
    with opened(Path(path), str(path), LARGEST) as picture:
        if not isinstance(picture, JpegImageFile):
            return None
        found = _coarseness(picture)
    return min(_coarseness_by_quality(), key=lambda quality: abs(_coarseness_by_quality()[quality] - found))


@cache
def _coarseness_by_quality() -> dict[int, int]:
    blank = np.zeros((8, 8, 3), np.uint8)
    return {quality: _coarseness(_jpeg(blank, quality)) for quality in range(1, 101)}


def _coarseness(picture: JpegImageFile) -> int:
    """Sum the table that the brightness's frequencies are divided by."""
    return sum(picture.quantization[0])


def _jpeg(pixels: Pixels, quality: int) -> JpegImageFile:
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "JPEG", quality=quality)
    file.seek(0)
    return JpegImageFile(file)


def _write_atomically(picture: Pillow.Image, path: Path, name: str) -> None:
    """Write beside the path, then rename, so that no reader ever sees half a file."""
    with beside(path) as temporary:
        with temporary.open("xb") as file:
            picture.save(file, name, **OPTIONS.get(name, {}))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)


def grid(
    rows: Sequence[Sequence[Float[Tensor, "3 height width"]]], path: Path | str, labels: Sequence[str] = ()
) -> None:
    """Write pictures side by side, one row per example, with a label over each column; tiny ones enlarged.

    Raises:
        ShapeError: the rows are empty or of unequal length, or the pictures of unequal size.
    """
    shapes = {tuple(picture.shape) for row in rows for picture in row}
    if len(shapes) != 1 or len({len(row) for row in rows}) != 1:
        raise ShapeError(
            f"a grid takes rows of pictures of one size, but got rows of {[len(r) for r in rows]}, {shapes}."
        )
    bands = [np.concatenate([to_uint8(picture) for picture in row], axis=1) for row in rows]
    body = np.concatenate(bands, axis=0)
    enlargement = max(1, READABLE_SIDE // min(rows[0][0].shape[-2:]))
    body = body.repeat(enlargement, axis=0).repeat(enlargement, axis=1)
    if labels:
        body = np.concatenate([_label(labels, body.shape[1]), body], axis=0)
    write(body, path)


def _label(labels: Sequence[str], width: int) -> Pixels:
    """Letter a white strip, one label over each column."""
    strip = Pillow.new("RGB", (width, LABEL_HEIGHT), "white")
    draw = ImageDraw.Draw(strip)
    for column, label in enumerate(labels):
        middle = (2 * column + 1) * width / (2 * len(labels))
        draw.text((middle, LABEL_HEIGHT / 2), label, fill="black", anchor="mm")
    return np.array(strip)


def pad(image: Image, multiple: int) -> Float[Tensor, "batch 3 rows columns"]:
    """Grow an image to the right and below, by reflection, until both sides are multiples of a number.

    Undo it with `crop`. A side shorter than what it lacks is reflected more than once.
    """
    height, width = image.shape[-2:]
    return _reflect(_reflect(image, -height % multiple, axis=-2), -width % multiple, axis=-1)


def _reflect(image: Image, more: int, axis: int) -> Float[Tensor, "batch 3 rows columns"]:
    """Grow one axis at its end by mirroring, the edge pixel not repeated (period 2 x side - 2)."""
    side = image.shape[axis]
    period = max(1, 2 * side - 2)
    place = torch.arange(side + more, device=image.device) % period
    return image.index_select(axis, torch.minimum(place, period - place)) if more else image


def crop(image: Image, height: int, width: int) -> Float[Tensor, "batch 3 rows columns"]:
    """Cut an image back to the size that it had before `pad`."""
    return image[..., :height, :width]
