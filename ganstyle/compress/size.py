"""How large a network is: its parameters, and what a picture costs it."""

from typing import NamedTuple

from torch import nn

from ganstyle.export.portable import side_of
from ganstyle.stylize.budget import plan

SIDE = 256
"""Pixels: the side of the picture whose multiplications are counted."""
PLENTY = 10**15
"""Bytes: nothing is held back while multiplications are counted."""


class Size(NamedTuple):
    """What a network takes."""

    parameters: int
    multiply_adds: float
    """For a picture of 256 x 256 pixels (or the next side that the network takes)."""


def size_of(network: nn.Module) -> Size:
    """Count a network's parameters and multiply-adds; norms, activations and sums are left out."""
    side = side_of(network, SIDE)
    counted = plan(network, side, side, PLENTY)
    return Size(sum(parameter.numel() for parameter in network.parameters()), counted.products)
