"""Whether two programs paint the same: on which pictures they are compared, and how near theirs have to be."""

import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from ganstyle.backends.model import Images

RANGE = 2.0
"""From the darkest to the brightest value of an image."""
EXACT = 1000.0
"""What is written for the PSNR of equal pictures, in dB; JSON has no infinity."""
DISCS = 12


class Bound(NamedTuple):
    """How far an export may be from its artifact; on every size."""

    largest: float = math.inf
    """Of the differences, in units of [-1, 1]."""
    psnr: float = 0.0
    """In dB, of a range of 2."""

    def holds(self, found: Float32[ndarray, "..."], wanted: Float32[ndarray, "..."]) -> bool:
        """Whether a picture is near enough to another."""
        largest = float(np.abs(found.astype(np.float64) - wanted).max())
        return largest <= self.largest and psnr(found, wanted) >= self.psnr

    def plain(self) -> dict[str, float | None]:
        """As a report has it."""
        return {"max": None if math.isinf(self.largest) else self.largest, "psnr": self.psnr or None}


def bound_in(report: dict[str, Any]) -> Bound:
    """Return the bound that a report's export has kept. Raises KeyError or TypeError where there is none."""
    largest, least = report["bound"]["max"], report["bound"]["psnr"]
    return Bound(math.inf if largest is None else float(largest), float(least or 0.0))


def psnr(one: Float32[ndarray, "..."], other: Float32[ndarray, "..."]) -> float:
    """Peak signal to noise, in dB, for a range of 2."""
    error = float(np.mean(np.square(one.astype(np.float64) - other)))
    return EXACT if error == 0 else min(EXACT, 10 * math.log10(RANGE**2 / error))


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
