"""A square canvas that gives the same bytes on every machine.

Only sums, products, quotients, roots and comparisons of doubles are used, which IEEE 754 rounds the same way
everywhere; no sines, powers or matrix products, whose last bits differ between libraries.
"""

from math import sqrt
from random import Random

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

Plane = Float[ndarray, "size size"]
Color = tuple[float, float, float]


class Canvas:
    """Opaque paint on a square; x runs right and y down, both from 0 to 1."""

    def __init__(self, size: int, color: Color) -> None:
        middles = (np.arange(size) + 0.5) / size
        self.size = size
        self.x, self.y = np.broadcast_to(middles, (size, size)), np.broadcast_to(middles[:, None], (size, size))
        self.pixels = np.empty((size, size, 3))
        self.pixels[:] = color

    def fill(self, distance: Plane, color: Color, opacity: float | Plane = 1.0) -> None:
        """Paint where a signed distance (in canvas sides, negative inside) says so, with an edge one pixel soft."""
        self.glaze(np.clip(0.5 - distance * self.size, 0.0, 1.0) * opacity, color)

    def glaze(self, coverage: Plane, color: Color) -> None:
        """Blend a color in; coverage 0 leaves what is there, 1 hides it."""
        touched = np.flatnonzero(coverage.any(axis=1))
        if len(touched):
            rows = slice(touched[0], touched[-1] + 1)
            self.pixels[rows] += coverage[rows, :, None] * (np.asarray(color) - self.pixels[rows])

    def ellipse(self, x: float, y: float, across: float, down: float) -> Plane:
        """Return the approximate signed distance to an ellipse with the given half axes."""
        right, below = (self.x - x) / across, (self.y - y) / down
        return np.asarray((np.sqrt(right * right + below * below) - 1.0) * min(across, down))

    def box(self, left: float, top: float, right: float, bottom: float) -> Plane:
        """Return the signed distance to an upright rectangle."""
        sideways = np.maximum(left - self.x, self.x - right)
        return np.asarray(np.maximum(sideways, np.maximum(top - self.y, self.y - bottom)))

    def gable(self, x: float, top: float, bottom: float, half: float) -> Plane:
        """Return the signed distance to an isosceles triangle that stands on its base."""
        slant = half / (bottom - top)
        side = (np.abs(self.x - x) - (self.y - top) * slant) / sqrt(1.0 + slant * slant)
        return np.asarray(np.maximum(side, self.y - bottom))

    def bytes(self) -> UInt8[ndarray, "size size 3"]:
        """Return the picture as uint8, height x width x 3."""
        return quantize(self.pixels)


def quantize(pixels: Float[ndarray, "height width 3"]) -> UInt8[ndarray, "height width 3"]:
    """Round colors in [0, 1] to bytes."""
    return np.asarray(np.floor(np.clip(pixels, 0.0, 1.0) * 255.0 + 0.5), dtype=np.uint8)


def smooth(share: ndarray) -> ndarray:
    """Ease from 0 to 1 (Hermite's cubic)."""
    return np.asarray(share * share * (3.0 - 2.0 * share))


def ridge(size: int, knots: int, rng: Random) -> Float[ndarray, " size"]:
    """Return a smooth random line: values in [0, 1) at the given number of knots, eased in between."""
    heights = np.array([rng.random() for _ in range(knots + 1)])
    place = (np.arange(size) + 0.5) / size * knots
    left = np.floor(place).astype(np.int64)
    return np.asarray(heights[left] + smooth(place - left) * (heights[left + 1] - heights[left]))


def noise(size: int, columns: int, rows: int, rng: Random) -> Plane:
    """Return smooth value noise in [0, 1) on a grid of random knots."""
    lines = np.stack([ridge(size, columns, rng) for _ in range(rows + 1)])
    place = (np.arange(size) + 0.5) / size * rows
    above = np.floor(place).astype(np.int64)
    return np.asarray(lines[above] + smooth(place - above)[:, None] * (lines[above + 1] - lines[above]))
