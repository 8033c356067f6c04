"""Frozen perceptual features: what a VGG sees in an image, layer by layer."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from ganstyle.errors import ShapeError, WeightsError, unknown
from ganstyle.nn.blocks import Convolution
from ganstyle.nn.vgg_files import embedded_weights, imagenet_weights, random_weights, weights_from_file
from ganstyle.nn.vgg_layers import DEPTHS, block, convolutions, relu
from ganstyle.nn.vgg_weights import Kernel, Padding, Weights
from ganstyle.types import Image

WEIGHTS = ("embedded", "imagenet", "random")


def perceptual(
    weights: str = "embedded", path: str | None = None, architecture: str = "vgg19", seed: int = 0
) -> "Perceptual":
    """Build frozen features from weights by name, or from a file: `path` goes before `weights`.

    `embedded` is ganstyle's own narrow VGG-19 up to relu4_1; `imagenet` is torchvision's, downloaded once; `random` is
    orthogonal, drawn from `seed`, a fallback to be named beside every result.
    Raises `WeightsError` when the weights are unknown, missing or do not fit `architecture` (vgg16 or vgg19).
    """
    if path is not None:
        return Perceptual(weights_from_file(path, architecture))
    if weights == "embedded":
        return Perceptual(embedded_weights(architecture))
    if weights == "imagenet":
        return Perceptual(imagenet_weights(architecture))
    if weights == "random":
        return Perceptual(random_weights(architecture, seed))
    raise WeightsError(unknown("perceptual weights", weights, WEIGHTS))


class Perceptual(nn.Module):
    """The first layers of a VGG, frozen, tapped after their ReLUs.

    Layers are called relu1_1, relu1_2, relu2_1 ... as in Gatys et al. 2016; relu4_1 is the first of block 4, at an
    eighth of the image's height and width.
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.origin = weights.origin
        self.layers = tuple(relu(name) for name in weights.convolutions)
        self.color = _convolution(weights.color, "zeros")
        self.convolutions = nn.ModuleDict(
            {relu(name): _convolution(kernel, weights.padding) for name, kernel in weights.convolutions.items()}
        )
        self._reflects = weights.padding == "reflect"
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "Perceptual":
        """Stay in evaluation mode, whatever the network around is told."""
        return super().train(False)

    def require(self, layers: Sequence[str]) -> None:
        """Raise `WeightsError`, naming the last layer there is, unless all the layers asked for are there."""
        known = {relu(name) for architecture in DEPTHS for name in convolutions(architecture)}
        for layer in layers:
            if layer not in known:
                raise WeightsError(unknown("perceptual layer", layer, known))
            if layer not in self.layers:
                raise WeightsError(
                    f"{self.origin} ends at {self.layers[-1]} and has no {layer}; ask for layers it has, or give "
                    "deeper weights, such as perceptual=vgg19."
                )

    def forward(self, image: Image, layers: Sequence[str]) -> dict[str, Tensor]:
        """Return the activations at `layers`, each batch x channels x rows x columns and non-negative.

        Computes no further than the deepest of them.
        Raises `WeightsError` for a layer that is not there and `ShapeError` for an image too small for it.
        """
        self.require(layers)
        self._require_size(image, layers)
        wanted = set(layers)
        features: dict[str, Tensor] = {}
        activation = self.color((image + 1) / 2)
        for previous, layer in zip(("relu1_1", *self.layers), self.layers, strict=False):
            if not wanted - features.keys():
                break
            if block(layer) != block(previous):
                activation = F.max_pool2d(activation, 2)
            activation = F.relu(self.convolutions[layer](activation))
            if layer in wanted:
                features[layer] = activation
        return {layer: features[layer] for layer in layers}

    def _require_size(self, image: Image, layers: Sequence[str]) -> None:
        deepest = max((block(layer) for layer in layers), default=1)
        least = 2 ** (deepest - 1) * (2 if self._reflects else 1)
        height, width = image.shape[-2:]
        if min(height, width) < least:
            raise ShapeError(
                f"features of block {deepest} need images of at least {least} x {least} pixels, but got "
                f"{height} x {width}; enlarge the image, or ask for shallower layers."
            )


def _convolution(kernel: Kernel, padding: Padding) -> nn.Conv2d:
    """Turn a kernel into a convolution that keeps height and width."""
    weight, bias = kernel
    width, channels, side, _ = weight.shape
    layer = Convolution(channels, width, side, padding=side // 2, padding_mode=padding)
    layer.weight.data, layer.bias = weight.clone(), nn.Parameter(bias.clone())
    return layer
