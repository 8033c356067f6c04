"""Where feature maps wait: in memory as long as there is room, then in temporary files."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Protocol, runtime_checkable
from weakref import finalize

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganstyle.errors import GanstyleError
from ganstyle.stylize.maps import Map, Moments, Price, Shape, Strip
from ganstyle.stylize.memory import give_back

HALO = 6
"""Rows that a strip is made with beyond its own, at most: a 7 x 7 kernel's, or those of 3 x 3 on a resized map."""
COPIES = 2
"""How much more than the numbers that a price counts are in memory: the library's own layout of them."""


class RoomError(GanstyleError):
    """Not enough memory or disk for a picture."""


@runtime_checkable
class Rows(Protocol):
    """Where the rows of one map are kept."""

    def write(self, first: int, strip: Strip) -> None:
        """Keep some rows."""

    def read(self, first: int, last: int) -> Strip:
        """Return a copy of them."""


@dataclass(frozen=True)
class InMemory:
    """Rows in a tensor."""

    tensor: Strip

    def write(self, first: int, strip: Strip) -> None:
        """Keep some rows."""
        self.tensor[:, first : first + strip.shape[1]] = strip

    def read(self, first: int, last: int) -> Strip:
        """Return a copy of them."""
        return self.tensor[:, first:last].clone(memory_format=torch.contiguous_format)


class Scratch:
    """An open file without a name: it is gone with the last who knows it, however the program ends."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile(prefix="ganstyle-") as file:
            self.number = os.dup(file.fileno())

    def __del__(self) -> None:
        os.close(self.number)


@dataclass(frozen=True)
class OnDisk:
    """Rows in a file, one after the other, each channels x columns."""

    shape: Shape
    file: Scratch
    like: Tensor
    """A tensor of the kind and on the device of the rows."""

    def write(self, first: int, strip: Strip) -> None:
        """Keep some rows; raises RoomError when the disk is full."""
        numbers = strip.transpose(0, 1).contiguous().cpu().numpy()
        with _room_on_disk():
            _write(self.file.number, _bytes(numbers), first * self._row)

    def read(self, first: int, last: int) -> Strip:
        """Return a copy of them."""
        numbers = np.empty((last - first, self.shape.channels, self.shape.columns), dtype=_dtype(self.like))
        _read(self.file.number, _bytes(numbers), first * self._row)
        return torch.from_numpy(numbers).transpose(0, 1).contiguous().to(self.like.device)

    @property
    def _row(self) -> int:
        return self.shape.row * self.like.element_size()


@dataclass(frozen=True)
class Stored:
    """A map that is computed once and for all, its moments with it."""

    shape: Shape
    rows: Rows
    moments: Moments | None
    """Where they were asked for."""
    costly: bool = False

    @property
    def price(self) -> Price:
        """A copy of the row."""
        return Price(2 * self.shape.row, 0)

    def read(self, first: int, last: int) -> Strip:
        """Return the rows."""
        return self.rows.read(first, last)


@runtime_checkable
class Keeper(Protocol):
    """Who computes maps and keeps them."""

    def keep(self, source: Map, *, measure: bool) -> Stored:
        """Compute a map; with `measure`, its moments, too."""


@dataclass
class Ledger:
    """Which maps wait in memory and which on disk: in memory as long as `memory` bytes hold them all."""

    memory: int
    in_memory: int = 0
    on_disk: int = 0
    most_in_memory: int = 0
    most_on_disk: int = 0

    def enter(self, size: int) -> bool:
        """Find room for so many bytes; says whether it is in memory."""
        fits = self.in_memory + size <= self.memory
        self._change(fits, size)
        return fits

    def leave(self, fits: bool, size: int) -> None:
        """Give the room back."""
        self._change(fits, -size)

    def _change(self, fits: bool, size: int) -> None:
        self.in_memory += size if fits else 0
        self.on_disk += 0 if fits else size
        self.most_in_memory = max(self.most_in_memory, self.in_memory)
        self.most_on_disk = max(self.most_on_disk, self.on_disk)


@dataclass(frozen=True)
class Storeroom:
    """Computes maps strip by strip and keeps them."""

    kind: Tensor
    """A tensor of the kind and on the device of all maps."""
    strip: int
    """Bytes that computing one strip may take."""
    ledger: Ledger
    progress: Callable[[float], None] = lambda products: None
    """Is told of every strip how many multiplications it took."""

    def keep(self, source: Map, *, measure: bool) -> Stored:
        """Compute a map; with `measure`, its moments, too. Raises RoomError when the disk is full."""
        size = source.shape.rows * source.shape.row * self.kind.element_size()
        fits = self.ledger.enter(size)
        rows = self._rows(source.shape, fits)
        moments = []
        for first, strip in self.strips(source):
            rows.write(first, strip)
            moments += [Moments.of(strip)] if measure else []
        stored = Stored(source.shape, rows, reduce(Moments.joined, moments) if measure else None)
        finalize(stored, self.ledger.leave, fits, size)
        return stored

    def strips(self, source: Map) -> Iterator[tuple[int, Strip]]:
        """Read a map from top to bottom, in strips as high as memory allows; each comes with its first row."""
        height = strip_height(source, self.strip // self.kind.element_size())
        for first in range(0, source.shape.rows, height):
            last = min(first + height, source.shape.rows)
            with torch.inference_mode():
                strip = source.read(first, last)
            yield first, strip
            del strip
            give_back()
            self.progress(source.price.products * (last - first))

    def _rows(self, shape: Shape, fits: bool) -> Rows:
        if fits:
            return InMemory(self.kind.new_empty(shape))
        return OnDisk(shape, Scratch(), self.kind)


def strip_height(source: Map, numbers: int) -> int:
    """Say how many rows of a map can be read at once while so many numbers are in memory; at least one."""
    return max(1, int(numbers / (COPIES * source.price.numbers)) - HALO)


def _bytes(numbers: NDArray[np.floating]) -> memoryview:
    return memoryview(numbers).cast("B")  # type: ignore[arg-type]


def _dtype(like: Tensor) -> type[np.floating]:
    return np.float64 if like.dtype == torch.float64 else np.float32


def _write(file: int, content: memoryview, place: int) -> None:
    while content:
        done = os.pwrite(file, content, place)
        content, place = content[done:], place + done


def _read(file: int, content: memoryview, place: int) -> None:
    while content:
        done = os.preadv(file, [content], place)
        if not done:
            raise RoomError("a temporary file was cut short while it was read; free some disk and try again.")
        content, place = content[done:], place + done


@contextmanager
def _room_on_disk() -> Iterator[None]:
    """Put a full disk into one sentence."""
    try:
        yield
    except OSError as error:
        folder = tempfile.gettempdir()
        raise RoomError(
            f"the feature maps do not fit into {folder} ({error.strerror}); raise --max-memory, or set TMPDIR."
        ) from error
