"""A collection of pictures, decoded once and kept in memory as far as it fits."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

from ganstyle.images import Pixels, dimensions, read, resize

MEMORY = 512 << 20
"""Bytes of pixels that one collection may keep in one process."""

Fit: TypeAlias = Callable[[int, int], tuple[int, int]]
"""Height and width of a file -> height and width in memory."""


def by_short_side(height: int, width: int, *, short: int | None, least: int = 1) -> tuple[int, int]:
    """Bring the short side to `short` pixels (None: leave it), but no smaller than `least`; keep the proportions."""
    goal = max(short or min(height, width), least)
    scale = goal / min(height, width)
    return max(goal, round(height * scale)), max(goal, round(width * scale))


class Pictures:
    """Pictures by number, each brought to the size that `fit` gives for its height and width.

    What is in memory when workers fork is shared with them; beyond the budget a picture is decoded at every use.
    Raises ImageError for a file that is no picture as soon as the collection is made, and for a damaged one as soon as
    it is decoded: at once where the collection fits into the budget.
    """

    def __init__(self, paths: Sequence[Path], fit: Fit, budget: int = MEMORY) -> None:
        self.paths, self.fit, self.budget = tuple(paths), fit, budget
        self._kept: dict[int, Pixels] = {}
        self._bytes = 0
        sizes = [fit(*dimensions(path)) for path in self.paths]
        if sum(3 * height * width for height, width in sizes) <= budget:
            self._preload()

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.paths)

    def __getitem__(self, number: int) -> Pixels:
        """Return a picture's pixels; not to be written to."""
        if number not in self._kept:
            pixels = self._load(number)
            if self._bytes + pixels.nbytes > self.budget:
                return pixels
            self._keep(number, pixels)
        return self._kept[number]

    def __getstate__(self) -> dict[str, object]:
        """Leave the pixels behind when a copy goes to another process; it decodes its own."""
        return {**self.__dict__, "_kept": {}, "_bytes": 0}

    def _preload(self) -> None:
        """Decode everything, four pictures at a time."""
        with ThreadPoolExecutor(4) as pool:
            for number, pixels in enumerate(pool.map(self._load, range(len(self)))):
                self._keep(number, pixels)

    def _keep(self, number: int, pixels: Pixels) -> None:
        """Remember a picture, read-only."""
        pixels.setflags(write=False)
        self._kept[number] = pixels
        self._bytes += pixels.nbytes

    def _load(self, number: int) -> Pixels:
        """Decode a picture and bring it to its size; a JPEG twice as large or more is decoded at a reduced scale."""
        height, width = self.fit(*dimensions(self.paths[number]))
        pixels = read(self.paths[number], at_least=(2 * height, 2 * width))
        return pixels if pixels.shape[:2] == (height, width) else resize(pixels, height, width)
