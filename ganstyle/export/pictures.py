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
DISCS = 12


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


def drawn(height: int, width: int, seed: int) -> Images:
    """Draw what photographs are made of: shades at all scales, flat discs with edges, and grain."""
    random = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(random.standard_normal((3, height, width))) / frequency
    image = np.fft.irfft2(spectrum, s=(height, width))
    image *= 0.45 / image.std()
    rows, columns = np.mgrid[:height, :width]
    for _ in range(DISCS):
        row, column, radius = random.uniform(0, height), random.uniform(0, width), random.uniform(4, height / 5)
        image[:, np.hypot(rows - row, columns - column) < radius] = random.uniform(-1, 1, (3, 1))
    grain = 0.01 * random.standard_normal(image.shape)
    return np.clip(image + grain, -1, 1).astype(np.float32)[None]


def padded(image: Images, multiple: int) -> Float32[ndarray, "batch 3 rows columns"]:
    """Grow images as `ganstyle stylize` does."""
    return np.ascontiguousarray(np.stack([grown(one, multiple) for one in image]))
