"""Four ways to double the sides of a feature map."""

import torch
from torch import nn

from ganstyle.errors import ConfigError, unknown
from ganstyle.nn.blocks import convolution

UPSAMPLINGS = ("bilinear", "nearest", "pixel_shuffle", "transpose")


class PixelShuffle(nn.Sequential):
    """Convolve to four times the channels and deal them out to 2 x 2 pixels (Shi et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, *, padding: str, bias: bool) -> None:
        convolve = convolution(inputs, 4 * outputs, 3, padding=padding, bias=bias)
        super().__init__(convolve, nn.PixelShuffle(2))

    @torch.no_grad()
    def copy_first_kernels(self) -> None:
        """Give the four pixels of a block the same kernel, so that nothing checkers at the start.

        Source: Aitken et al. 2017, "ICNR".
        """
        weight = self[0].get_parameter("weight")
        weight.copy_(weight[::4].repeat_interleave(4, dim=0))


def upsampling(kind: str, inputs: int, outputs: int, *, kernel: int, padding: str, bias: bool) -> nn.Module:
    """Make the layer that doubles the sides.

    `kernel` (3 or 4) is the transposed convolution's; the others convolve 3 x 3, after resizing or before shuffling.
    Raises ConfigError for an unknown kind.
    """
    if kind == "transpose":
        return nn.ConvTranspose2d(inputs, outputs, kernel, 2, 1, output_padding=kernel % 2, bias=bias)
    if kind == "pixel_shuffle":
        return PixelShuffle(inputs, outputs, padding=padding, bias=bias)
    if kind not in UPSAMPLINGS:
        raise ConfigError(unknown("upsampling", kind, UPSAMPLINGS))
    resize = nn.Upsample(scale_factor=2, mode=kind)
    return nn.Sequential(resize, convolution(inputs, outputs, 3, padding=padding, bias=bias))
