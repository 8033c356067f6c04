"""A generator as other programs can take it: nothing drawn, nothing computed from weights alone, styles mixed."""

from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganstyle.artifact import Artifact
from ganstyle.backends.model import Images, Mixtures, style_count
from ganstyle.export.errors import ExportError
from ganstyle.nn.blocks import Stage, drawing
from ganstyle.nn.unet import UNet
from ganstyle.nn.upsample import NearestConvolution


def portable(artifact: Artifact, *, noise: bool = True) -> Artifact:
    """Copy an artifact, without the noise that its network draws at test where `noise` is False.

    Raises ExportError for a network that draws, if it is to: no two programs draw the same.
    """
    network = deepcopy(artifact.network)
    layers = drawing(network)
    if layers and noise:
        raise ExportError(
            "this network draws random numbers when it paints (dropout_at_test), which no export can repeat; "
            "add --no-noise to export it without them."
        )
    if not layers:
        return Artifact(network, artifact.card)
    for layer in layers:
        layer.at_test = False
    return Artifact(network, replace(artifact.card, arguments={**artifact.card.arguments, "dropout_at_test": False}))


def traceable(network: nn.Module) -> nn.Module:
    """Copy a network with layers that other programs run well, and kernels computed, so that a graph holds them.

    Resizing convolutions and transposed ones that double the sides become convolutions and a shuffle of pixels: not
    every program runs transposed convolutions in 8 or 16 bits. Nothing is changed in place: of a cropped map, a graph
    would scatter the changes into the whole and cut them out again.
    """
    found = deepcopy(network)
    if isinstance(found, UNet):
        _widen(found)
    for module in list(found.modules()):
        if isinstance(module, nn.ReLU | nn.LeakyReLU):
            module.inplace = False
        for name, child in list(module.named_children()):
            if isinstance(child, NearestConvolution):
                setattr(module, name, Doubling(child.edge, *_resizing_kernels(child)))
            elif isinstance(child, nn.ConvTranspose2d) and doubles(child):
                setattr(module, name, Doubling("zeros", *_transposed_kernels(child)))
        if isinstance(module, nn.Sequential):
            _rectify_early(module)
    return found


def doubles(layer: nn.ConvTranspose2d) -> bool:
    """Whether a transposed convolution doubles the sides with kernels of 4 x 4, as the U-Net's do."""
    shape = (layer.kernel_size, layer.stride, layer.padding, layer.output_padding, layer.dilation, layer.groups)
    return shape == ((4, 4), (2, 2), (1, 1), (0, 0), (1, 1), 1)


def example(network: nn.Module) -> tuple[Tensor, ...]:
    """Make what a network is traced with: two images, and where it mixes styles, their weights."""
    side = side_of(network)
    images = torch.zeros(2, 3, side, side + int(cast(int, network.size_multiple)))
    count = int(cast(int, network.styles))
    return (images, torch.full((2, count), 1 / count)) if count else (images,)


def side_of(network: nn.Module, least: int = 64) -> int:
    """A side that a network takes, and that is no shorter than `least` pixels."""
    multiple, least_side = int(cast(int, network.size_multiple)), int(cast(int, network.least_side))
    return -(-max(least, least_side) // multiple) * multiple


def reference(artifact: Artifact, images: Images, mixtures: Mixtures | None) -> Images:
    """Paint with the artifact itself."""
    given = [torch.from_numpy(values) for values in (images, mixtures) if values is not None]
    with torch.inference_mode():
        picture: Tensor = artifact.network(*given)
    return picture.numpy()


def even_mixture(artifact: Artifact, batch: int) -> Mixtures | None:
    """Mix all styles of a network, more and more of them from the first to the last; none for a fixed one."""
    count = style_count(artifact.card)
    if not count:
        return None
    weights = torch.arange(1, count + 1, dtype=torch.float32)
    return (weights / weights.sum()).repeat(batch, 1).numpy()


class Doubling(nn.Module):
    """A convolution that doubles the sides, by small kernels: one for each of the four pixels that a pixel becomes."""

    def __init__(self, edge: str, kernels: Float[Tensor, "_ _ 2 2"], bias: Float[Tensor, " _"] | None) -> None:
        super().__init__()
        self.edge = edge
        self.activation: nn.Module = nn.Identity()
        self.weight = nn.Parameter(kernels, requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)

    def forward(self, x: Float[Tensor, "batch channels rows columns"]) -> Tensor:
        """Return a map twice as high and wide."""
        if self.edge == "zeros":
            convolved = F.conv2d(x, self.weight, self.bias, padding=1)
        else:
            convolved = F.conv2d(F.pad(x, (1, 1, 1, 1), mode=self.edge), self.weight, self.bias)
        return F.pixel_shuffle(self.activation(convolved), 2)[..., 1:-1, 1:-1]


class Widened(nn.Module):
    """A convolution that halves the sides, with one column more than is asked for, which is cut off.

    A tall picture comes to the end of a U-Net in a single column, and OpenVINO 2026.4 computes convolutions to one in
    bf16 wrong on processors with AMX.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Float[Tensor, "batch channels rows columns"]) -> Tensor:
        """Return a map half as high and wide."""
        mode = "constant" if self.layer.padding_mode == "zeros" else self.layer.padding_mode
        padded = F.pad(F.pad(x, (1, 1, 1, 1), mode=mode), (0, 2))
        return F.conv2d(padded, self.layer.weight, self.layer.bias, stride=2)[..., :-1]


def _widen(network: UNet) -> None:
    """Take care of the innermost convolution of a U-Net, unless it takes no picture that narrow."""
    if network.least_side == network.size_multiple:
        innermost = cast(Stage, list(network.encoder.values())[-1])
        innermost[0] = Widened(cast(nn.Conv2d, innermost[0]))


def _rectify_early(row: nn.Sequential) -> None:
    """Rectify what a convolution says before its pixels are shuffled and cropped: it is the same, and one step less."""
    layers = [(number, layer) for number, layer in enumerate(row) if not isinstance(layer, nn.Identity)]
    for (_, first), (number, second) in pairwise(layers):
        if isinstance(first, Doubling) and isinstance(second, nn.ReLU):
            first.activation, row[number] = second, nn.Identity()


def _resizing_kernels(layer: NearestConvolution) -> tuple[Tensor, Tensor | None]:
    convolve, fold = cast(nn.Conv2d, layer[1]), layer.get_buffer("fold")
    kernels = torch.einsum("yah,xbw,oihw->oyxiab", fold, fold, convolve.weight.detach()).flatten(0, 2)
    return kernels, _four_times(convolve.bias)


def _transposed_kernels(layer: nn.ConvTranspose2d) -> tuple[Tensor, Tensor | None]:
    """Every other row and column of the kernels, backwards: a pixel's two neighbors on either axis see these."""
    weight = layer.weight.detach().permute(1, 0, 2, 3)
    parts = [[weight[:, :, [2 + y, y]][..., [2 + x, x]] for x in range(2)] for y in range(2)]
    kernels = torch.stack([torch.stack(row, dim=1) for row in parts], dim=1).flatten(0, 2)
    return kernels, _four_times(layer.bias)


def _four_times(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.detach().repeat_interleave(4)
