"""What ResNet and Light have around their blocks: a stem, two halvings, two doublings, an end."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from ganstyle.nn.blocks import Stage, convolution
from ganstyle.nn.norms import Norm
from ganstyle.nn.upsample import upsampling as doubling

SIZE_MULTIPLE = 4
LEAST_SIDE = 8
"""Below, the blocks would see a single pixel, which can be neither reflected nor normalized."""


class Widths(NamedTuple):
    """How many channels leave each stage; those of all blocks are added up, so they have one width: the trunk's."""

    stem: int
    down1: int
    trunk: int
    up1: int
    up2: int

    @classmethod
    def of(cls, channels: int) -> "Widths":
        """Twice as many at every halving, half at every doubling."""
        return cls(channels, 2 * channels, 4 * channels, 2 * channels, channels)


def encoder(blocks: Sequence[nn.Module], *, widths: Widths, kernel: int, norm: Norm, padding: str) -> nn.ModuleDict:
    """Make the stages down to the last block, by tap name; the blocks work on the trunk's channels."""
    stem = convolution(3, widths.stem, kernel, padding=padding, bias=not norm.shifts)
    named = {f"block{number}": block for number, block in enumerate(blocks, start=1)}
    return nn.ModuleDict(
        {
            "stem": _rectified(stem, widths.stem, norm),
            "down1": _down(widths.stem, widths.down1, norm, padding),
            "down2": _down(widths.down1, widths.trunk, norm, padding),
            **named,
        }
    )


def decoder(*, widths: Widths, kernel: int, norm: Norm, padding: str, upsampling: str) -> Stage:
    """Make the stages from the trunk's channels up to the three of an image, without the tanh."""
    return Stage(
        _up(widths.trunk, widths.up1, norm, padding, upsampling),
        _up(widths.up1, widths.up2, norm, padding, upsampling),
        convolution(widths.up2, 3, kernel, padding=padding),
    )


def feature_channels(encoder: nn.ModuleDict, widths: Widths) -> dict[str, int]:
    """Say how many channels each tap has."""
    known = {"stem": widths.stem, "down1": widths.down1}
    return {"image": 3, **{name: known.get(name, widths.trunk) for name in encoder}}


def _down(inputs: int, outputs: int, norm: Norm, padding: str) -> Stage:
    halve = convolution(inputs, outputs, 3, stride=2, padding=padding, bias=not norm.shifts)
    return _rectified(halve, outputs, norm)


def _up(inputs: int, outputs: int, norm: Norm, padding: str, upsampling: str) -> Stage:
    double = doubling(upsampling, inputs, outputs, kernel=3, padding=padding, bias=not norm.shifts)
    return _rectified(double, outputs, norm)


def _rectified(layer: nn.Module, channels: int, norm: Norm) -> Stage:
    return Stage(layer, norm(channels), nn.ReLU(inplace=True))
