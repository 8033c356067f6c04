"""Convolutions on a CPU as one matrix product, for maps that are small beside the weights they meet.

oneDNN brings a convolution's weights into an order of its own in every pass. At the bottom of a U-Net, where four
million weights meet four pixels, that is nearly all of the time; a product reads the weights once, as they lie.
The sums are the same (Chellapilla et al. 2006, "unrolling convolution").
"""

from math import prod
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SHARE = 2
"""A product is taken where the weights are at least so many times as large as the unfolded patches."""


class TransposedConvolution(nn.ConvTranspose2d):
    """A transposed convolution that is a matrix product where the map is small."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: A002 (as its parent has it)
        """Return the larger map."""
        if output_size is not None or not _multiplies(input, self, prod(input.shape[2:]), self.in_channels):
            return super().forward(input, output_size)
        patches = self.weight.flatten(1).t() @ input.flatten(2)
        padding = cast(tuple[int, int], self.padding)  # ours are numbers
        reach = zip(input.shape[2:], self.stride, self.kernel_size, padding, self.output_padding, strict=True)
        sides = tuple((side - 1) * stride + kernel - 2 * pad + more for side, stride, kernel, pad, more in reach)
        with torch.autocast(input.device.type, enabled=False):
            y = F.fold(patches, sides, self.kernel_size, padding=padding, stride=self.stride)
        return _shifted(y, self.bias)


def convolved(x: Tensor, layer: nn.Conv2d, padding: tuple[int, int]) -> Tensor:
    """Convolve with a layer's weights, padding with so many rows and columns of zeros, whatever the layer says."""
    reach = zip(x.shape[2:], layer.stride, layer.kernel_size, padding, strict=True)
    rows, columns = ((side + 2 * pad - kernel) // stride + 1 for side, stride, kernel, pad in reach)
    if not _multiplies(x, layer, rows * columns, layer.out_channels):
        return F.conv2d(x, layer.weight, layer.bias, layer.stride, padding, layer.dilation, layer.groups)
    with torch.autocast(x.device.type, enabled=False):
        patches = F.unfold(x, layer.kernel_size, padding=padding, stride=layer.stride)
    return _shifted((layer.weight.flatten(1) @ patches).view(len(x), layer.out_channels, rows, columns), layer.bias)


def _multiplies(x: Tensor, layer: nn.Conv2d | nn.ConvTranspose2d, patches: int, channels: int) -> bool:
    """Whether a product serves: `patches` of every image against weights as large as `channels` patches.

    Never in a recorded graph, which would hold for one size only; a size's `numel()` would fix it there too.
    """
    if torch.compiler.is_compiling():
        return False
    is_plain = x.ndim == 4 and x.device.type == "cpu" and layer.groups == 1 and layer.dilation == (1, 1)
    return is_plain and SHARE * len(x) * patches <= channels


def _shifted(y: Tensor, bias: Tensor | None) -> Tensor:
    return y if bias is None else y + bias.to(y.dtype)[:, None, None]
