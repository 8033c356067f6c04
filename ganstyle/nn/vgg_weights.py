"""The weights of a VGG prefix, checked, whatever file they came from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ganstyle.errors import WeightsError
from ganstyle.nn import vgg_layers

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
CLASSIFIER = {f"classifier.{layer}.{part}" for layer in (0, 3, 6) for part in ("weight", "bias")}
HEAD = "_aux"
"""Ending of the distilled VGG's 1x1 maps to its teacher's widths."""

Padding = Literal["zeros", "reflect"]
State = Mapping[str, Tensor]
Parts = dict[str, Tensor]
"""weight and bias of one layer."""
Layout = Callable[[str], dict[str, str]]
"""architecture -> a file's name for a layer -> ours."""


class Kernel(NamedTuple):
    """One convolution: weight out x in x height x width, and bias of `out`."""

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True)
class Weights:
    """The first layers of a VGG, ready to run."""

    origin: str
    """Where they come from, as messages name it."""
    convolutions: Mapping[str, Kernel]
    """conv1_1, conv1_2 ... without a gap."""
    color: Kernel
    """1x1, from RGB in [0, 1] to what conv1_1 takes."""
    padding: Padding
    heads: Mapping[str, Kernel] = field(default_factory=dict)
    """1x1 maps to a teacher's widths, where the file brings them; features never pass through them."""


def weights_from_state(state: State, architecture: str, origin: str) -> Weights:
    """Recognise the layout of a state dict and turn it into weights.

    Takes torchvision's full VGG, its features alone or the first of them (zero padding, ImageNet mean and deviation),
    the normalised VGG with its color layer, by name or as one Sequential, and the distilled one (reflection padding).
    Raises `WeightsError` when a key is missing or left over, or shapes do not follow from each other.
    """
    layout = _layout(state, origin)
    features = _without_heads(_without_classifier(state, origin))
    kernels = _rename(features, layout, architecture, origin)
    if layout in (vgg_layers.torchvision_names, vgg_layers.features_names):
        return Weights(origin, _checked(kernels, architecture, origin), imagenet_color(), "zeros")
    color = _color(kernels, origin)
    return Weights(
        origin, _checked(kernels, architecture, origin), color, "reflect", _heads(state, architecture, origin)
    )


def imagenet_color() -> Kernel:
    """Return the 1x1 layer that subtracts ImageNet's mean and divides by its deviation, as torchvision does."""
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    return Kernel(torch.diag(1 / std)[:, :, None, None], -mean / std)


def _layout(state: State, origin: str) -> Layout:
    """Tell the layouts apart by how they spell their first layer; the normalised Sequential starts with a 1x1 one."""
    if "features.0.weight" in state:
        return vgg_layers.torchvision_names
    if "0.weight" in state:
        return vgg_layers.sequential_names if state["0.weight"].shape[-1:] == (1,) else vgg_layers.features_names
    if "conv1_1.weight" in state:
        return vgg_layers.normalised_names
    if "conv11.weight" in state:
        return vgg_layers.slim_names
    found = ", ".join(sorted(state)[:3]) or "nothing"
    raise WeightsError(
        f"{origin} holds no VGG that ganstyle knows (it has {found} ...); give torchvision's VGG-16 or VGG-19, "
        "the normalised VGG-19 (conv0, conv1_1 ...) or the distilled one (conv0, conv11 ...)."
    )


def _without_classifier(state: State, origin: str) -> State:
    """Drop the classifier, which torchvision's full VGG has and perception does not need."""
    classifier = CLASSIFIER & state.keys()
    features = {key: value for key, value in state.items() if key not in classifier}
    if not classifier:
        return features
    layers = {key.rpartition(".")[0] for key in features}
    is_cut = any(layers < set(vgg_layers.torchvision_names(known)) for known in vgg_layers.DEPTHS)
    if is_cut or classifier != CLASSIFIER:
        raise WeightsError(f"{origin} is only part of a VGG with a classifier; download the file again.")
    return features


def _rename(state: State, layout: Layout, architecture: str, origin: str) -> dict[str, Parts]:
    """Sort tensors by our names for their layers; every key must be a weight or bias of the layout."""
    names = layout(architecture)
    kernels: dict[str, Parts] = {}
    for key, value in state.items():
        layer, _, part = key.rpartition(".")
        if layer not in names or part not in ("weight", "bias"):
            raise WeightsError(_misfit(key, state, layout, architecture, origin))
        kernels.setdefault(names[layer], {})[part] = value
    return kernels


def _misfit(key: str, state: State, layout: Layout, architecture: str, origin: str) -> str:
    """Word that a key belongs to no layer; say so if all keys fit the other VGG."""
    layers = {key.rpartition(".")[0] for key in state}
    for other in vgg_layers.DEPTHS.keys() - {architecture}:
        if layers <= set(layout(other)):
            return f"{origin} holds a {other}, not a {architecture}; set perceptual.architecture={other}."
    return f"{origin} has the key {key!r}, which belongs to no layer of a {architecture}; give a plain VGG's file."


def _checked(kernels: Mapping[str, Parts], architecture: str, origin: str) -> dict[str, Kernel]:
    """Require the first layers without a gap, each 3x3 and taking what the one before gives."""
    count = max(1, len(kernels.keys() - {vgg_layers.COLOR}))
    names = vgg_layers.convolutions(architecture)[:count]
    chain = {name: _kernel(kernels, name, 3, origin) for name in names}
    channels = 3
    for name, (weight, _) in chain.items():
        if weight.shape[1] != channels:
            raise WeightsError(
                f"{name} of {origin} takes {weight.shape[1]} channels, but is given {channels}; "
                "the file is damaged or no plain VGG for RGB images."
            )
        channels = weight.shape[0]
    return chain


def _kernel(kernels: Mapping[str, Parts], name: str, side: int, origin: str) -> Kernel:
    """Require both parts of a layer, of fitting shapes and finite."""
    parts = kernels.get(name, {})
    for part in Kernel._fields:
        if part not in parts:
            raise WeightsError(f"{origin} lacks the {part} of {name}; give a file that has every layer up to its last.")
    kernel = Kernel(parts["weight"].float(), parts["bias"].float())
    if (
        kernel.weight.ndim != 4
        or kernel.weight.shape[2:] != (side, side)
        or kernel.bias.shape != kernel.weight.shape[:1]
    ):
        raise WeightsError(
            f"{name} of {origin} should be a {side}x{side} convolution with a bias, but its weight has shape "
            f"{tuple(kernel.weight.shape)} and its bias {tuple(kernel.bias.shape)}; give a plain VGG's file."
        )
    if not all(part.isfinite().all() for part in kernel):
        raise WeightsError(f"{name} of {origin} has values that are not finite; download the file again.")
    return kernel


def _color(kernels: Mapping[str, Parts], origin: str) -> Kernel:
    color = _kernel(kernels, vgg_layers.COLOR, 1, origin)
    if color.weight.shape[:2] != (3, 3):
        raise WeightsError(f"the color layer of {origin} should map 3 channels to 3; give a normalised VGG's file.")
    return color


def _is_head(key: str) -> bool:
    return key.rpartition(".")[0].endswith(HEAD)


def _without_heads(state: State) -> State:
    return {key: value for key, value in state.items() if not _is_head(key)}


def _heads(state: State, architecture: str, origin: str) -> dict[str, Kernel]:
    """Collect the 1x1 maps to the teacher's widths by the layer that they start from."""
    heads = {key.replace(HEAD, ""): value for key, value in state.items() if _is_head(key)}
    kernels = _rename(heads, vgg_layers.slim_names, architecture, origin)
    return {vgg_layers.relu(name): _kernel(kernels, name, 1, origin) for name in kernels}
