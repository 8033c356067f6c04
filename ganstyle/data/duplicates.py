"""Finding pictures that look alike: a difference hash to find candidates, a thumbnail to be sure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray

from ganstyle.images import Pixels, resize

SIDE = 8
BITS_APART = 3
"""Of 64 bits; re-encoding a photograph flips about that many."""
LEVELS_APART = 6.0
"""Mean difference of two thumbnails, of 255, below which they show the same."""
CHUNK = 2048


class Look(NamedTuple):
    """What a picture looks like from afar."""

    bits: Bool[ndarray, "64"]
    """Whether each cell of a grid is darker than its right neighbor (difference hash, N. Krawetz 2013)."""
    thumbnail: UInt8[ndarray, "8 8 3"]


def look(pixels: Pixels) -> Look:
    """See a picture from afar."""
    grey = resize(pixels, SIDE, SIDE + 1).astype(np.int64).sum(axis=-1)
    return Look((grey[:, 1:] > grey[:, :-1]).reshape(-1), resize(pixels, SIDE, SIDE))


def alike(looks: Sequence[Look]) -> Iterator[tuple[int, int]]:
    """Yield the numbers of every two pictures that look alike, the smaller first."""
    if not looks:
        return
    signs = np.stack([look.bits for look in looks]).astype(np.float32) * 2 - 1
    for start in range(0, len(looks), CHUNK):
        agreement = signs[start : start + CHUNK] @ signs.T
        for row, column in np.argwhere(agreement >= signs.shape[1] - 2 * BITS_APART).tolist():
            if start + row < column and _same(looks[start + row], looks[column]):
                yield start + row, column


def _same(one: Look, other: Look) -> bool:
    """Compare two thumbnails."""
    difference = one.thumbnail.astype(np.int64) - other.thumbnail.astype(np.int64)
    return bool(np.abs(difference).mean() <= LEVELS_APART)
