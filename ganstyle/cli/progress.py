"""What a long restyling tells while it works: before it starts, its disk and time; then a bar."""

import sys
import tempfile
import time
from collections.abc import Callable

import torch
from torch import nn

from ganstyle.stylize.budget import plan
from ganstyle.stylize.memory import Announce, Plan

SAMPLE = 256
"""Pixels: the side of the picture by whose time the whole is estimated."""


def progress_of(network: nn.Module) -> Announce:
    """Make what tells of pictures that go through in strips; of others nothing is told."""

    def announce(found: Plan) -> Callable[[float], None]:
        if not found.in_strips:
            return lambda products: None
        seconds = found.products * _seconds_for_one(network)
        room = f"within {found.memory / 1e6:.0f} MB of memory"
        if found.window is None:
            way = f"in strips {room}, with {found.disk / 1e9:.1f} GB of temporary files in {tempfile.gettempdir()}"
        else:
            way = f"in windows of {found.window.side} pixels {room}, without temporary files"
        print(f"{way}; about {_duration(seconds)}", file=sys.stderr)
        return _bar(found.products) if sys.stderr.isatty() else lambda products: None

    return announce


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


def _bar(total: float) -> Callable[[float], None]:
    from rich.console import Console
    from rich.progress import Progress

    progress = Progress(console=Console(stderr=True), transient=True)
    task = progress.add_task("painting", total=total)
    progress.start()

    def advance(products: float) -> None:
        progress.advance(task, products)
        if progress.finished:
            progress.stop()

    return advance
