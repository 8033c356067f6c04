"""The weights of a VGG prefix, checked, whatever file they came from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
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
    state = _without_classifier(state, architecture, origin)
    if "0.weight" in state and state["0.weight"].shape[-1] != 1:
        kernels = _rename(state, vgg_layers.torchvision_names, architecture, origin)
        return Weights(origin, _checked(kernels, architecture, origin), imagenet_color(), "zeros")
    kernels = _rename(_without_heads(state), _own_layout(state, origin), architecture, origin)
    color = _color(kernels, origin)
    return Weights(origin, _checked(kernels, architecture, origin), color, "reflect", _heads(state, architecture))


def imagenet_color() -> Kernel:
    """Return the 1x1 layer that subtracts ImageNet's mean and divides by its deviation, as torchvision does."""
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    return Kernel(torch.diag(1 / std)[:, :, None, None], -mean / std)


def _without_classifier(state: State, architecture: str, origin: str) -> State:
    """Strip torchvision's `features.` and drop its classifier, which a full VGG has and perception does not need."""
    if not any(key.startswith("features.") for key in state):
        return state
    features = {key: value for key, value in state.items() if key not in CLASSIFIER}
    dropped = CLASSIFIER & state.keys()
    last = f"features.{list(vgg_layers.torchvision_names(architecture))[-1]}.weight"
    if dropped and (dropped != CLASSIFIER or last not in features):
        _fail_as_other(_stripped(features), vgg_layers.torchvision_names, architecture, origin)
        raise WeightsError(f"{origin} has a VGG's classifier but not all of its layers; download the file again.")
    return _stripped(features)


def _stripped(features: State) -> State:
    return {key.removeprefix("features."): value for key, value in features.items()}


def _own_layout(state: State, origin: str) -> Callable[[str], dict[str, str]]:
    """Tell the normalised VGG from the distilled one by how they spell their first convolution."""
    if "0.weight" in state:
        return vgg_layers.sequential_names
    if "conv1_1.weight" in state:
        return vgg_layers.normalised_names
    if "conv11.weight" in state:
        return vgg_layers.slim_names
    found = ", ".join(sorted(state)[:3]) or "nothing"
    raise WeightsError(
        f"{origin} holds no VGG that ganstyle knows (it has {found} ...); give torchvision's VGG-16 or VGG-19, "
        "the normalised VGG-19 (conv0, conv1_1 ...) or the distilled one (conv0, conv11 ...)."
    )


def _rename(
    state: State, layout: Callable[[str], dict[str, str]], architecture: str, origin: str
) -> dict[str, dict[str, Tensor]]:
    """Sort tensors by our names for their layers; every key must be a weight or bias of the layout."""
    names = layout(architecture)
    kernels: dict[str, dict[str, Tensor]] = {}
    for key, value in state.items():
        layer, _, part = key.rpartition(".")
        if layer not in names or part not in ("weight", "bias"):
            _fail_as_other(state, layout, architecture, origin)
            raise WeightsError(
                f"{origin} has the key {key!r}, which is no layer of {architecture}; give a plain VGG's file."
            )
        kernels.setdefault(names[layer], {})[part] = value
    return kernels


def _fail_as_other(state: State, layout: Callable[[str], dict[str, str]], architecture: str, origin: str) -> None:
    """Raise if the file is the other VGG."""
    for other in vgg_layers.DEPTHS.keys() - {architecture}:
        if {key.rpartition(".")[0] for key in state} == set(layout(other)):
            raise WeightsError(f"{origin} holds {other}, not {architecture}; set perceptual.architecture={other}.")


def _checked(kernels: Mapping[str, Mapping[str, Tensor]], architecture: str, origin: str) -> dict[str, Kernel]:
    """Require the first layers without a gap, each 3x3 and taking what the one before gives."""
    found = kernels.keys() - {vgg_layers.COLOR}
    first = vgg_layers.convolutions(architecture)[: len(found)]
    for name in first:
        if kernels.get(name, {}).keys() != {"weight", "bias"}:
            raise WeightsError(
                f"{origin} lacks the weight or bias of {name}; it must hold the first layers without a gap."
            )
    chain = {name: Kernel(kernels[name]["weight"].float(), kernels[name]["bias"].float()) for name in first}
    for name, kernel in chain.items():
        _require_shape(name, kernel, 3, origin)
    if not chain or chain["conv1_1"].weight.shape[1] != 3:
        raise WeightsError(f"{origin} does not start from 3 color channels; give a VGG that was trained on RGB images.")
    for (_, before), (name, after) in pairwise(chain.items()):
        if after.weight.shape[1] != before.weight.shape[0]:
            raise WeightsError(
                f"{name} of {origin} takes {after.weight.shape[1]} channels, but the layer before gives "
                f"{before.weight.shape[0]}; the file is damaged or no plain VGG."
            )
    return chain


def _color(kernels: Mapping[str, Mapping[str, Tensor]], origin: str) -> Kernel:
    parts = kernels.get(vgg_layers.COLOR, {})
    if parts.keys() != {"weight", "bias"}:
        raise WeightsError(f"{origin} lacks its 1x1 color layer {vgg_layers.COLOR}; give the whole file.")
    kernel = Kernel(parts["weight"].float(), parts["bias"].float())
    _require_shape(vgg_layers.COLOR, kernel, 1, origin)
    return kernel


def _require_shape(name: str, kernel: Kernel, side: int, origin: str) -> None:
    weight, bias = kernel
    if weight.ndim != 4 or weight.shape[2:] != (side, side) or bias.shape != weight.shape[:1]:
        raise WeightsError(
            f"{name} of {origin} should be a {side}x{side} convolution with a bias, but its weight has shape "
            f"{tuple(weight.shape)} and its bias {tuple(bias.shape)}; give a plain VGG's file."
        )


def _is_head(key: str) -> bool:
    return key.rpartition(".")[0].endswith(HEAD)


def _without_heads(state: State) -> State:
    return {key: value for key, value in state.items() if not _is_head(key)}


def _heads(state: State, architecture: str) -> dict[str, Kernel]:
    """Collect the 1x1 maps to the teacher's widths by the layer that they start from."""
    spelled = vgg_layers.slim_names(architecture)
    names = {layer: name for layer, name in spelled.items() if f"{layer}{HEAD}.weight" in state}
    return {
        vgg_layers.relu(name): Kernel(state[f"{layer}{HEAD}.weight"].float(), state[f"{layer}{HEAD}.bias"].float())
        for layer, name in names.items()
    }
