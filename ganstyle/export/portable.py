"""A generator as other programs can take it: nothing drawn, nothing computed from weights alone, styles mixed."""

from copy import deepcopy
from dataclasses import replace
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganstyle.artifact import Artifact
from ganstyle.backends.model import Images, Mixtures, style_count
from ganstyle.export.errors import ExportError
from ganstyle.nn.blocks import Dropout
from ganstyle.nn.upsample import NearestConvolution


def portable(artifact: Artifact, *, noise: bool = True) -> Artifact:
    """Copy an artifact, without the noise that its network draws at test where `noise` is False.

    Raises ExportError for a network that draws, if it is to: no two programs draw the same.
    """
    network = deepcopy(artifact.network)
    drawing = [layer for layer in network.modules() if isinstance(layer, Dropout) and _draws(layer)]
    if drawing and noise:
        raise ExportError(
            "this network draws random numbers when it paints (dropout_at_test), which no export can repeat; "
            "add --no-noise to export it without them."
        )
    if not drawing:
        return Artifact(network, artifact.card)
    for layer in drawing:
        layer.at_test = False
    return Artifact(network, replace(artifact.card, arguments={**artifact.card.arguments, "dropout_at_test": False}))


def traceable(network: nn.Module) -> nn.Module:
    """Copy a network with the kernels of its resizing convolutions computed, so that a graph holds them as they are."""
    found = deepcopy(network)
    for module in list(found.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, NearestConvolution):
                setattr(module, name, Doubling(child))
    return found


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
    """A NearestConvolution with its four small kernels computed."""

    def __init__(self, layer: NearestConvolution) -> None:
        super().__init__()
        convolve, fold = cast(nn.Conv2d, layer[1]), layer.get_buffer("fold")
        kernels = torch.einsum("yah,xbw,oihw->oyxiab", fold, fold, convolve.weight.detach()).flatten(0, 2)
        self.edge = layer.edge
        self.weight = nn.Parameter(kernels, requires_grad=False)
        bias = None if convolve.bias is None else convolve.bias.detach().repeat_interleave(4)
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)

    def forward(self, x: Float[Tensor, "batch channels rows columns"]) -> Tensor:
        """Return the convolution of the resized map, twice as high and wide."""
        padded = F.pad(x, (1, 1, 1, 1), mode=self.edge)
        return F.pixel_shuffle(F.conv2d(padded, self.weight, self.bias), 2)[..., 1:-1, 1:-1]


def _draws(layer: Dropout) -> bool:
    return layer.at_test and layer.probability > 0
