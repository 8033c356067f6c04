"""What a long restyling tells while it works: before it starts, its disk and time; then a bar."""

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn

from ganstyle.stylize.budget import plan
from ganstyle.stylize.memory import Plan

if TYPE_CHECKING:
    from rich.progress import Progress

SAMPLE = 256
"""Pixels: the side of the picture by whose time the whole is estimated."""


class Teller:
    """Tells of pictures that go through in strips or windows; of others it tells nothing."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.bar: Progress | None = None

    def announce(self, found: Plan) -> Callable[[float], None]:
        """Tell what is planned, and on a terminal begin a bar."""
        if not found.in_strips:
            return lambda products: None
        seconds = found.products * _seconds_for_one(self.network)
        room = f"within {found.memory / 1e6:.0f} MB of memory"
        if found.window is None:
            way = f"in strips {room}, with {found.disk / 1e9:.1f} GB of temporary files in {tempfile.gettempdir()}"
        else:
            way = f"in windows of {found.window.side} pixels {room}, without temporary files"
        print(f"{way}; about {_duration(seconds)}", file=sys.stderr)
        return self._begun(found.products) if sys.stderr.isatty() else lambda products: None

    def end(self) -> None:
        """Take the bar away, whatever became of the picture."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    def _begun(self, total: float) -> Callable[[float], None]:
        from rich.console import Console
        from rich.progress import Progress

        self.bar = Progress(console=Console(stderr=True), transient=True)
        task = self.bar.add_task("painting", total=total)
        self.bar.start()
        return partial(self.bar.advance, task)


def _seconds_for_one(network: nn.Module) -> float:
    """How long a multiplication takes here, on a small picture."""
    side = max(SAMPLE, int(network.size_multiple))  # type: ignore[arg-type]
    style = torch.tensor([0]) if getattr(network, "styles", 0) else None
    image = next(network.parameters()).new_zeros(1, 3, side, side)
    start = time.perf_counter()
    with torch.inference_mode():
        network(image) if style is None else network(image, style)
    return (time.perf_counter() - start) / plan(network, side, side, 10**15, style).products


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
