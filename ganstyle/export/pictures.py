"""The pictures that an export is judged on, and calibrated with."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from ganstyle import decode, images
from ganstyle.backends.model import Images
from ganstyle.backends.padding import grown
from ganstyle.export.errors import ExportError

JUDGED, CALIBRATED = 3, 24
"""How many pictures of a folder an export is judged on, none of which it is calibrated on; and on how many it is."""


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder, in order of name. Raises ExportError when they are too few."""
    found = sorted(path for path in folder.rglob("*") if decode.is_picture(path)) if folder.is_dir() else []
    if len(found) <= JUDGED:
        raise ExportError(
            f"--calibrate {folder} holds {len(found)} pictures, but {JUDGED} are kept for judging and at least one is "
            f"calibrated on; give a folder of {JUDGED + 1} photographs or more, better {JUDGED + CALIBRATED}."
        )
    return found


def judged(files: Sequence[Path]) -> list[Path]:
    """The pictures of a folder to judge on, spread over it."""
    return [files[round(n * (len(files) - 1) / (JUDGED - 1))] for n in range(JUDGED)]


def calibrated(files: Sequence[Path]) -> list[Path]:
    """The pictures of a folder to calibrate with, spread over the rest of it."""
    apart = set(judged(files))
    rest = [file for file in files if file not in apart]
    count = min(CALIBRATED, len(rest))
    return [rest[n * len(rest) // count] for n in range(count)]


def photograph(path: Path, height: int, width: int) -> Images:
    """Cut the middle of a picture in a shape, after it was shrunk as far as the shape allows."""
    pixels = decode.read(path)
    scale = max(height / pixels.shape[0], width / pixels.shape[1])
    rows, columns = (max(side, round(scale * own)) for side, own in zip((height, width), pixels.shape, strict=False))
    shrunk = images.resize(pixels, rows, columns)
    top, left = (rows - height) // 2, (columns - width) // 2
    tensor = images.to_tensor(shrunk[top : top + height, left : left + width])
    return np.ascontiguousarray(tensor.numpy()[None])


def padded(image: Images, multiple: int) -> Float32[ndarray, "batch 3 rows columns"]:
    """Grow images as `ganstyle stylize` does."""
    return np.ascontiguousarray(np.stack([grown(one, multiple) for one in image]))
