"""The names of VGG's layers, and how public weight files spell them.

A VGG is blocks of 3x3 convolutions, each followed by a ReLU, with a 2x2 max-pooling between the blocks.
Source: Simonyan & Zisserman 2015, table 1, columns D (VGG-16) and E (VGG-19).
"""

from collections.abc import Iterator

from ganstyle.errors import WeightsError, unknown

DEPTHS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""Convolutions per block."""

COLOR = "conv0"
"""The 1x1 layer that turns RGB in [0, 1] into what the first convolution was trained on."""


def convolutions(architecture: str) -> tuple[str, ...]:
    """List the convolutions from shallow to deep: conv1_1, conv1_2, conv2_1 ..."""
    return tuple(f"conv{block}_{place}" for block, place in _places(architecture))


def relu(convolution: str) -> str:
    """Name the activation after a convolution: conv3_1 -> relu3_1."""
    return convolution.replace("conv", "relu")


def block(layer: str) -> int:
    """Return the block of a layer, from 1; its rows and columns are those of the image divided by 2**(block - 1)."""
    return int(layer.removeprefix("conv").removeprefix("relu").split("_")[0])


def torchvision_names(architecture: str) -> dict[str, str]:
    """Map the layers of torchvision's VGG to names: {"features.0": "conv1_1", "features.2": "conv1_2" ...}."""
    return {f"features.{index}": name for index, name in features_names(architecture).items()}


def features_names(architecture: str) -> dict[str, str]:
    """Map the layers of torchvision's `vgg.features` alone: {"0": "conv1_1", "2": "conv1_2", "5": "conv2_1" ...}."""
    return _indices(architecture, first=0, per_convolution=2)


def sequential_names(architecture: str) -> dict[str, str]:
    """Map the indices of the normalised VGG as one Sequential (color layer, then padding, convolution, ReLU)."""
    return {"0": COLOR} | _indices(architecture, first=2, per_convolution=3)


def normalised_names(architecture: str) -> dict[str, str]:
    """Map the names of the normalised VGG's file, which are ours."""
    return {name: name for name in (COLOR, *convolutions(architecture))}


def slim_names(architecture: str) -> dict[str, str]:
    """Map the names of the distilled VGG's file: {"conv0": "conv0", "conv11": "conv1_1" ...}."""
    return {name.replace("_", ""): name for name in (COLOR, *convolutions(architecture))}


def _indices(architecture: str, first: int, per_convolution: int) -> dict[str, str]:
    """Count modules in a Sequential, where one pooling stands between two blocks."""
    return {
        str(first + per_convolution * number + block(name) - 1): name
        for number, name in enumerate(convolutions(architecture))
    }


def _places(architecture: str) -> Iterator[tuple[int, int]]:
    if architecture not in DEPTHS:
        raise WeightsError(unknown("VGG architecture", architecture, DEPTHS))
    for number, depth in enumerate(DEPTHS[architecture], start=1):
        for place in range(1, depth + 1):
            yield number, place
