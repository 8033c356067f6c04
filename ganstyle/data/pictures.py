"""A collection of pictures, decoded once and kept in memory as far as it fits."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

from ganstyle.data.cache import Keeping, cached
from ganstyle.data.files import Files, PathFiles, fitted
from ganstyle.data.sized import sized
from ganstyle.errors import ImageError
from ganstyle.images import Pixels

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

    What is in memory when workers fork is shared with them; beyond the budget a picture is decoded at every use, unless
    `keeping` names a cache on disk for it. The pixels are the same to the bit wherever they come from.
    Raises ImageError for a file that is no picture as soon as the collection is made, and for a damaged one as soon as
    it is decoded: at once where the collection fits into the budget. One that is `lenient` raises when it is asked for
    such a picture.
    """

    def __init__(
        self,
        files: Files | Sequence[Path],
        fit: Fit,
        budget: int = MEMORY,
        *,
        lenient: bool = False,
        keeping: Keeping | None = None,
    ) -> None:
        self.files: Files = files if isinstance(files, Files) else PathFiles(files)
        self.fit, self.budget, self.lenient = fit, budget, lenient
        self._kept: dict[int, Pixels] = {}
        self._bytes = 0
        self.files.check(lenient=lenient)
        self._cache = None if keeping is None else cached(self.files, fit, keeping, lenient=lenient)
        if self._cache is None and self._fits():
            self._preload()

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.files)

    def __getitem__(self, number: int) -> Pixels:
        """Return a picture's pixels; not to be written to."""
        if self._cache is not None and (found := self._cache.get(number)) is not None:
            return found
        if number not in self._kept:
            pixels = self._load(number)
            if self._bytes + pixels.nbytes > self.budget:
                return pixels
            self._keep(number, pixels)
        return self._kept[number]

    def __getstate__(self) -> dict[str, object]:
        """Leave the pixels behind when a copy goes to another process; it decodes its own."""
        return {**self.__dict__, "_kept": {}, "_bytes": 0}

    def _fits(self) -> bool:
        """Say whether all pictures together stay within the budget; looks at no more than it takes to know."""
        total = 0
        for number in range(len(self)):
            height, width = fitted(self.files, number, self.fit, lenient=self.lenient)
            total += 3 * height * width
            if total > self.budget:
                return False
        return True

    def _preload(self) -> None:
        """Decode everything, four pictures at a time."""
        with ThreadPoolExecutor(4) as pool:
            for number, pixels in enumerate(pool.map(self._preloaded, range(len(self)))):
                if pixels is not None:
                    self._keep(number, pixels)

    def _preloaded(self, number: int) -> Pixels | None:
        """Decode a picture; a damaged one is left to whoever asks for it, where the collection is lenient."""
        try:
            return self._load(number)
        except ImageError:
            if not self.lenient:
                raise
            return None

    def _keep(self, number: int, pixels: Pixels) -> None:
        """Remember a picture, read-only."""
        pixels.setflags(write=False)
        self._kept[number] = pixels
        self._bytes += pixels.nbytes

    def _load(self, number: int) -> Pixels:
        """Decode a picture and bring it to its size."""
        height, width = self.fit(*self.files.size(number))
        return sized(self.files.content(number), self.files.name(number), height, width)
