"""Small pictures for the tests of data/."""

from pathlib import Path

import numpy as np
from PIL import Image


def drawing(seed: int, height: int = 40, width: int = 48) -> np.ndarray:
    """Draw smooth random color: survives JPEG, differs by seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def save(path: Path, seed: int, height: int = 40, width: int = 48) -> Path:
    """Write such a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(drawing(seed, height, width)).save(path)
    return path


def fill(folder: Path, count: int, start: int = 0, height: int = 40, width: int = 48) -> Path:
    """Fill a folder with different pictures."""
    for number in range(start, start + count):
        save(folder / f"{number:03}.png", number, height, width)
    return folder
