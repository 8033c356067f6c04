"""How much memory a picture takes on its way through a network, and what becomes of it if that is too much."""

import shutil
import tempfile
from dataclasses import dataclass
from weakref import finalize

import torch
from torch import Tensor, nn

from ganstyle.backends.padding import grown_sides
from ganstyle.nn.blocks import drawing
from ganstyle.nn.norms import Style
from ganstyle.stylize.flow import flow
from ganstyle.stylize.maps import Map, Moments, Strip
from ganstyle.stylize.memory import SHARE, BudgetError, Plan, Window, free_memory
from ganstyle.stylize.sources import Cropped, Given, Grown
from ganstyle.stylize.store import COPIES, HALO, Ledger, RoomError, Stored
from ganstyle.stylize.windows import SIDES, reach, window

STRIP_SHARE, LARGEST_STRIP = 3, 200_000_000
"""One part in so many of the memory goes to computing a strip if that is enough; larger strips gain nothing."""
WINDOW_SHARE = 0.75
"""The part of the memory that a window may take; the rest is for what is done to the picture afterwards."""
WHOLE = 1.5
"""How much of what reading its most expensive map at once would take a whole picture takes: measured 0.5 to 1.2."""


def plan(network: nn.Module, height: int, width: int, memory: int | None = None, style: Style | None = None) -> Plan:
    """Say how an image of this size goes through a network with so many bytes; by default a quarter of what is free.

    The memory is what the network takes on top of the program and of the picture itself. The products are those of
    padding, too, but for the last layer's, which is computed only where it is looked at.
    Raises BudgetError when not even a few rows fit into the memory, RoomError when the disk is too small.
    """
    memory = free_memory() // SHARE if memory is None else memory
    size = next(network.parameters()).element_size()
    prices = _rehearse(network, height, width, 0, style)
    strip = min(max(memory // STRIP_SHARE, int(prices.least_strip * size)), LARGEST_STRIP, memory)
    if prices.largest * size * WHOLE <= memory:
        return Plan(False, memory, 0, prices.products, strip)
    if (found := _window(network, height, width, prices.largest * WHOLE, memory // size, style)) is not None:
        return Plan(True, memory, 0, prices.products * found.growth, int(memory * WINDOW_SHARE), found)
    _require_memory(float(prices.least_strip * size), memory, height, width)
    disk = _rehearse(network, height, width, memory - strip, style).ledger.most_on_disk
    _require_disk(disk)
    return Plan(True, memory, disk, prices.products, strip)


def _window(
    network: nn.Module, height: int, width: int, whole: float, numbers: int, style: Style | None
) -> Window | None:
    """Find windows for a network that takes so many numbers for the whole; None for one that looks at all of it."""
    multiple = int(network.size_multiple)  # type: ignore[arg-type]
    distance = None if drawing(network) or multiple > min(SIDES) else reach(network, style)
    per_pixel = whole / (height * width)
    return None if distance is None else window(distance, multiple, width, per_pixel, numbers * WINDOW_SHARE)


def _rehearse(network: nn.Module, height: int, width: int, memory: int, style: Style | None) -> "_Rehearsal":
    """Go through a network with sizes only; `memory` is that for maps."""
    weight = next(network.parameters())
    rehearsal = _Rehearsal(weight.new_empty(0), Ledger(memory))
    image = Grown(Given(weight.new_empty(3, 1, 1)), *grown_sides(height, width, int(network.size_multiple)))  # type: ignore[arg-type]
    rehearsal.see(Cropped(flow(network, image, rehearsal, style=style), height, width))
    return rehearsal


@dataclass
class _Rehearsal:
    """Keeps the sizes of maps only, to learn what the real run will take."""

    kind: Tensor
    ledger: Ledger
    largest: float = 0
    """Numbers in memory for the most expensive map, read at once."""
    least_strip: float = 0
    """Numbers in memory for a strip of one row."""
    products: float = 0

    def see(self, source: Map) -> None:
        """Note what a map takes."""
        self.largest = max(self.largest, source.price.numbers * source.shape.rows)
        self.least_strip = max(self.least_strip, COPIES * source.price.numbers * (HALO + 1))
        self.products += source.price.products * source.shape.rows

    def keep(self, source: Map, *, measure: bool) -> Stored:
        """Pretend to compute and keep a map."""
        self.see(source)
        size = source.shape.rows * source.shape.row * self.kind.element_size()
        fits = self.ledger.enter(size)
        nothing = torch.zeros(source.shape.channels, dtype=torch.float64)
        stored = Stored(source.shape, _NoRows(), Moments(1, nothing, nothing) if measure else None)
        finalize(stored, self.ledger.leave, fits, size)
        return stored


class _NoRows:
    """Rows of a map that was only pretended."""

    def write(self, first: int, strip: Strip) -> None:
        """There is nothing to write."""
        raise AssertionError("a rehearsal writes no rows")

    def read(self, first: int, last: int) -> Strip:
        """There is nothing to read."""
        raise AssertionError("a rehearsal reads no rows")


def _require_memory(least: float, memory: int, height: int, width: int) -> None:
    if least > memory:
        raise BudgetError(
            f"--max-memory (by default a quarter of what is free) is {memory / 1e6:.0f} MB, but {width} x {height} "
            f"pixels take at least {least / 1e6:.0f} MB; raise it, or give a smaller picture."
        )


def _require_disk(disk: int) -> None:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if disk > free:
        raise RoomError(
            f"the feature maps take {disk / 1e9:.1f} GB, but {folder} has {free / 1e9:.1f} GB free; "
            f"raise --max-memory, or set TMPDIR to a larger disk."
        )
