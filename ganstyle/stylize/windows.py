"""Networks that look no farther than some pixels: one window of a picture after the other, each through all layers."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ganstyle.errors import ConfigError
from ganstyle.nn.norms import Style
from ganstyle.stylize.flow import flow
from ganstyle.stylize.maps import Map, Price, Shape, Strip
from ganstyle.stylize.memory import Window
from ganstyle.stylize.store import COPIES, HALO, Stored

SIDES = (1024, 768, 512, 384, 256, 192, 128)
"""Pixels along a window of the result, the largest first; larger ones gain nothing."""
ROWS, BREADTH = 2048, 4
"""Of the picture that a reach is found with: rows, and multiples of the network's in a row."""


class _LooksFartherError(Exception):
    """A network needs statistics of the whole picture."""


def reach(network: nn.Module, style: Style | None = None) -> int | None:
    """Say how many pixels around its own a pixel of the network's picture depends on; None for the whole picture.

    Each layer is asked which rows it needs for a few in the middle, from the last to the first.
    """
    multiple = int(network.size_multiple)  # type: ignore[arg-type]
    probe = _Probe(next(network.parameters()), BREADTH * multiple)
    middle = ROWS // 2
    try:
        with torch.inference_mode():
            flow(network, probe, _Passing(), style=style).read(middle, middle + multiple)
    except (_LooksFartherError, ConfigError):
        return None
    low, high = min(probe.firsts), max(probe.lasts)
    return None if low == 0 or high == ROWS else max(middle - low, high - middle - multiple)


@dataclass(frozen=True)
class _Probe:
    """A picture of zeros that notes which of its rows are read."""

    kind: Tensor
    columns: int
    costly: bool = False
    price: Price = Price(0, 0)  # noqa: RUF009  (an immutable one)
    firsts: list[int] = field(default_factory=list)
    lasts: list[int] = field(default_factory=list)

    @property
    def shape(self) -> Shape:
        """Three channels of a tall picture."""
        return Shape(3, ROWS, self.columns)

    def read(self, first: int, last: int) -> Strip:
        """Note the rows."""
        self.firsts.append(first)
        self.lasts.append(last)
        return self.kind.new_zeros(3, last - first, self.columns)


class _Passing:
    """Keeps nothing: who reads a map reads what it is computed from."""

    def keep(self, source: Map, *, measure: bool) -> Stored:
        """Pass the map on; raises _LooksFartherError if it is to be measured."""
        if measure:
            raise _LooksFartherError
        return Stored(source.shape, _Behind(source), None)


@dataclass(frozen=True)
class _Behind:
    """The rows of a map that is not kept."""

    source: Map

    def write(self, first: int, strip: Strip) -> None:
        """There is nothing to write."""
        raise AssertionError("nothing is kept here")

    def read(self, first: int, last: int) -> Strip:
        """Compute them."""
        return self.source.read(first, last)


def window(distance: int, multiple: int, columns: int, per_pixel: float, numbers: float) -> Window | None:
    """Choose the largest window that so many numbers in memory allow, or None.

    `distance` is the network's reach, `per_pixel` what it holds in memory for one pixel. A window narrower than
    twice the reach would have more than four times as much computed as the whole: then there is none.
    """
    around = -(-distance // multiple) * multiple
    for side in SIDES:
        rows = side + 2 * around
        if side % multiple == 0 and side >= 2 * around and per_pixel * rows**2 + 6.0 * columns * rows <= numbers:
            return Window(side, around)
    return None


@dataclass(frozen=True)
class Windowed:
    """The picture of a network, computed when it is read."""

    network: nn.Module
    input: Map
    window: Window
    numbers: float
    """In memory while a strip of the window's height is read."""
    products: float
    """Multiplications of one row of the whole."""
    style: Style | None = None
    costly: bool = True

    @property
    def shape(self) -> Shape:
        """The picture's."""
        return self.input.shape

    @property
    def price(self) -> Price:
        """Such that strips are as high as a window."""
        row = self.numbers / (COPIES * (self.window.side + HALO + 0.5))
        return Price(row, self.products * self.window.growth)

    def read(self, first: int, last: int) -> Strip:
        """Restyle the windows of some rows from left to right."""
        _, rows, columns = self.shape
        top, bottom = self._around(first, last, rows)
        seen = self.input.read(top, bottom)
        result = seen.new_empty(3, last - first, columns)
        for left, right in self._columns():
            low, high = self._around(left, right, columns)
            painted = self._painted(seen[None, :, :, low:high])
            result[:, :, left:right] = painted[:, first - top : last - top, left - low : right - low]
        return result

    def _columns(self) -> Iterator[tuple[int, int]]:
        columns, side = self.shape.columns, self.window.side
        return ((left, min(left + side, columns)) for left in range(0, columns, side))

    def _around(self, first: int, last: int, end: int) -> tuple[int, int]:
        """What must be seen, from one multiple of the network's to another, as the whole picture is divided."""
        multiple = int(self.network.size_multiple)  # type: ignore[arg-type]
        low = max(0, (first - self.window.reach) // multiple * multiple)
        return low, min(end, -(-(last + self.window.reach) // multiple) * multiple)

    def _painted(self, image: Tensor) -> Strip:
        painted: Tensor = self.network(image) if self.style is None else self.network(image, self.style)
        return painted[0]
