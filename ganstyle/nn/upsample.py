"""Four ways to double the sides of a feature map."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganstyle.errors import ConfigError, unknown
from ganstyle.nn.blocks import convolution
from ganstyle.nn.products import TransposedConvolution

UPSAMPLINGS = ("bilinear", "nearest", "pixel_shuffle", "transpose")
FOLD = (((1.0, 1.0, 0.0), (0.0, 0.0, 1.0)), ((1.0, 0.0, 0.0), (0.0, 1.0, 1.0)))
"""Which of three weights fall on which of two pixels of the small map, for odd pixels of the large one, then even ones.

So a shuffled map is the wanted one with a border of one pixel around it.
"""


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


class NearestConvolution(nn.Sequential):
    """Resize to twice the sides by repeating pixels, then convolve 3 x 3 (Odena et al. 2016), without the large middle.

    A result pixel sees only 2 x 2 different pixels of the small map, so each of the four places in a 2 x 2 block has a
    2 x 2 kernel of its own, summed from the nine weights: the same function with four ninths of the multiplications.
    Reflection of the large map repeats the small one's edge.
    """

    def __init__(self, inputs: int, outputs: int, *, padding: str, bias: bool) -> None:
        resize = nn.Upsample(scale_factor=2, mode="nearest")
        super().__init__(resize, convolution(inputs, outputs, 3, padding=padding, bias=bias))
        self.register_buffer("fold", torch.tensor(FOLD), persistent=False)

    @property
    def edge(self) -> str:
        """How `forward` pads the small map, in the words of `torch.nn.functional.pad`."""
        return "replicate" if cast(nn.Conv2d, self[1]).padding_mode == "reflect" else "constant"

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (as nn.Sequential has it)
        """Return the convolution of the resized map, twice as high and wide."""
        compiles = self.edge == "replicate" and torch.compiler.is_compiling()
        with torch.autocast(input.device.type, enabled=False):
            padded = _repeated(input) if compiles else F.pad(input, (1, 1, 1, 1), mode=self.edge)
        return self.from_padded(padded)

    def from_padded(self, padded: Tensor) -> Tensor:
        """Return the same for a small map that has a border of one pixel around it already."""
        convolve, fold = cast(nn.Conv2d, self[1]), self.get_buffer("fold")
        with torch.autocast(padded.device.type, enabled=False):
            kernels = torch.einsum("yah,xbw,oihw->oyxiab", fold, fold, convolve.weight).flatten(0, 2)
        shift = None if convolve.bias is None else convolve.bias.repeat_interleave(4)
        return F.pixel_shuffle(F.conv2d(padded, kernels, shift), 2)[..., 1:-1, 1:-1]


def _repeated(x: Tensor) -> Tensor:
    """Repeat the edge as `pad` does, in words whose gradient torch 2.15's compiler gets right in channels-last."""
    x = torch.cat((x[..., :1, :], x, x[..., -1:, :]), -2)
    return torch.cat((x[..., :1], x, x[..., -1:]), -1)


def upsampling(kind: str, inputs: int, outputs: int, *, kernel: int, padding: str, bias: bool) -> nn.Module:
    """Make the layer that doubles the sides.

    `kernel` (3 or 4) is the transposed convolution's; the others convolve 3 x 3, after resizing or before shuffling.
    Raises ConfigError for an unknown kind.
    """
    if kind == "transpose":
        return TransposedConvolution(inputs, outputs, kernel, 2, 1, output_padding=kernel % 2, bias=bias)
    if kind == "pixel_shuffle":
        return PixelShuffle(inputs, outputs, padding=padding, bias=bias)
    if kind == "nearest":
        return NearestConvolution(inputs, outputs, padding=padding, bias=bias)
    if kind not in UPSAMPLINGS:
        raise ConfigError(unknown("upsampling", kind, UPSAMPLINGS))
    resize = nn.Upsample(scale_factor=2, mode=kind)
    return nn.Sequential(resize, convolution(inputs, outputs, 3, padding=padding, bias=bias))
