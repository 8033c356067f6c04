"""Picture files by number, wherever they lie: what a collection must say so that its pictures can be decoded."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from ganstyle.data.folders import content_hash
from ganstyle.decode import content_of, dimensions
from ganstyle.errors import ImageError


@runtime_checkable
class Files(Protocol):
    """Files of pictures by number, in an order that never changes; picklable."""

    def __len__(self) -> int:
        """Count the files."""

    def name(self, number: int) -> str:
        """Say what a file is called, so that a user finds it."""

    def size(self, number: int) -> tuple[int, int]:
        """Return height and width of a picture as it is meant to be seen; raises ImageError for what is none."""

    def content(self, number: int) -> bytes:
        """Return the bytes of a file; raises ImageError if they cannot be had."""

    def identity(self) -> str:
        """Hash what the files hold and their order, wherever they lie."""

    def check(self, *, lenient: bool = False) -> None:
        """Find files that are no pictures, where that is not known yet; raises ImageError, unless it is lenient."""

    def chosen(self, numbers: Sequence[int]) -> "Files":
        """Take some of the files."""


class PathFiles:
    """Files that lie in folders."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        self._sizes = np.zeros((len(self.paths), 2), np.int32)

    def __len__(self) -> int:
        """Count the files."""
        return len(self.paths)

    def name(self, number: int) -> str:
        """Return a file's path."""
        return str(self.paths[number])

    def size(self, number: int) -> tuple[int, int]:
        """Return height and width from a file's header, which is read once."""
        if not self._sizes[number].any():
            self._sizes[number] = dimensions(self.paths[number])
        height, width = self._sizes[number].tolist()
        return height, width

    def content(self, number: int) -> bytes:
        """Read a file whole."""
        return content_of(self.paths[number])

    def identity(self) -> str:
        """Hash names and fingerprints."""
        return content_hash(self.paths)

    def check(self, *, lenient: bool = False) -> None:
        """Read every header."""
        for number in range(len(self)):
            try:
                self.size(number)
            except ImageError:
                if not lenient:
                    raise

    def chosen(self, numbers: Sequence[int]) -> "PathFiles":
        """Take some of the files."""
        return PathFiles([self.paths[number] for number in numbers])


def fitted(files: Files, number: int, fit: Callable[[int, int], tuple[int, int]], *, lenient: bool) -> tuple[int, int]:
    """Return the height and width that a rule gives a picture; 0 x 0, where one is lenient, for what is no picture."""
    try:
        return fit(*files.size(number))
    except ImageError:
        if not lenient:
            raise
        return 0, 0
