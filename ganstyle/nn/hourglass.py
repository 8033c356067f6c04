"""What ResNet and Light have around their blocks: a stem, two halvings, two doublings, an end."""

from collections.abc import Sequence

from torch import nn

from ganstyle.nn.blocks import Stage, convolution
from ganstyle.nn.norms import Norm
from ganstyle.nn.upsample import upsampling as doubling

SIZE_MULTIPLE = 4
LEAST_SIDE = 8
"""Below, the blocks would see a single pixel, which can be neither reflected nor normalized."""


def encoder(blocks: Sequence[nn.Module], *, channels: int, kernel: int, norm: Norm, padding: str) -> nn.ModuleDict:
    """Make the stages down to the last block, by tap name; the blocks work on 4 x `channels`."""
    stem = convolution(3, channels, kernel, padding=padding, bias=not norm.shifts)
    named = {f"block{number}": block for number, block in enumerate(blocks, start=1)}
    return nn.ModuleDict(
        {
            "stem": _rectified(stem, channels, norm),
            "down1": _down(channels, 2 * channels, norm, padding),
            "down2": _down(2 * channels, 4 * channels, norm, padding),
            **named,
        }
    )


def decoder(*, channels: int, kernel: int, norm: Norm, padding: str, upsampling: str) -> Stage:
    """Make the stages from the last block's 4 x `channels` up to the three of an image, without the tanh."""
    return Stage(
        _up(4 * channels, 2 * channels, norm, padding, upsampling),
        _up(2 * channels, channels, norm, padding, upsampling),
        convolution(channels, 3, kernel, padding=padding),
    )


def feature_channels(encoder: nn.ModuleDict, channels: int) -> dict[str, int]:
    """Say how many channels each tap has."""
    widths = {"stem": channels, "down1": 2 * channels}
    return {"image": 3, **{name: widths.get(name, 4 * channels) for name in encoder}}


def _down(inputs: int, outputs: int, norm: Norm, padding: str) -> Stage:
    halve = convolution(inputs, outputs, 3, stride=2, padding=padding, bias=not norm.shifts)
    return _rectified(halve, outputs, norm)


def _up(inputs: int, outputs: int, norm: Norm, padding: str, upsampling: str) -> Stage:
    double = doubling(upsampling, inputs, outputs, kernel=3, padding=padding, bias=not norm.shifts)
    return _rectified(double, outputs, norm)


def _rectified(layer: nn.Module, channels: int, norm: Norm) -> Stage:
    return Stage(layer, norm(channels), nn.ReLU(inplace=True))
