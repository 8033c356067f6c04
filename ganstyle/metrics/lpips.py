"""How far two pictures are apart in a network's features: LPIPS on its own networks, the plain distance on any other.

LPIPS means torchvision's ImageNet networks and the published heads, which weigh their channels. Without these it would
be another number under a known name; so every channel counts the same then, and the network is named.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import AlexNet_Weights, VGG16_Weights, alexnet, vgg16
from torchvision.transforms.functional import normalize

from ganstyle.errors import WeightsError
from ganstyle.metrics.features import FeatureNetwork
from ganstyle.metrics.published import Published, hash_of, published_file
from ganstyle.nn.vgg_files import tensors_in
from ganstyle.types import Image

Kind: TypeAlias = Literal["vgg", "alex"]
Head: TypeAlias = Float[Tensor, "_"]
Activations: TypeAlias = Sequence[Tensor]
"""Of one image batch by layer, each batch x channels x rows x columns."""
TINY = 1e-8
"""Added to squared lengths, so that places without activation can be divided; torchmetrics' value."""
CHUNK = 4
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
"""Of ImageNet's colors in [0, 1], which torchvision's networks expect to be taken out."""
HEADS = files("torchmetrics.functional.image") / "lpips_models"
"""The heads of version 0.1, as torchmetrics carries them."""


class Backbone(NamedTuple):
    """A network that LPIPS is defined on."""

    published: Published
    build: Callable[[], nn.Module]
    taps: tuple[int, ...]
    """Places in `features` after which activations are compared."""


def _published(name: str, url: str, option: str) -> Published:
    """Torchvision ends a file's name with the beginning of its hash."""
    return Published(f"torchvision's {name}", url, Path(url).stem.rpartition("-")[2], option)


BACKBONES: dict[Kind, Backbone] = {
    "vgg": Backbone(_published("vgg16", VGG16_Weights.IMAGENET1K_V1.url, "--lpips"), vgg16, (3, 8, 15, 22, 29)),
    "alex": Backbone(
        _published("alexnet", AlexNet_Weights.IMAGENET1K_V1.url, "--artfid-lpips"), alexnet, (1, 4, 7, 9, 11)
    ),
}


@dataclass(frozen=True)
class PairDistance:
    """A distance between two pictures, zero for equal ones."""

    name: str
    sha256: str
    """Of the network's weights."""
    activations: Callable[[Image], Activations]
    heads: tuple[Head, ...] | None = None
    """Weights of the channels by layer; None lets every channel count the same."""

    @torch.inference_mode()
    def __call__(self, first: Image, second: Image) -> Float[Tensor, " batch"]:
        """Measure each of `first` against the same place of `second`."""
        pairs = zip(torch.split(first, CHUNK), torch.split(second, CHUNK), strict=True)
        return torch.cat([distance(self.activations(a), self.activations(b), self.heads) for a, b in pairs])


def distance(first: Activations, second: Activations, heads: Sequence[Head] | None = None) -> Float[Tensor, " batch"]:
    """Sum over layers the mean over places of the squared difference of activations brought to length 1.

    Heads weigh the channels in the sum over them; without heads each layer adds from 0 to 2, as activations are not
    negative.

    Source: Zhang et al. 2018, eq. 1.
    """
    squares = [(_directions(a) - _directions(b)).square() for a, b in zip(first, second, strict=True)]
    weights = heads or [square.new_ones(square.shape[1]) for square in squares]
    layers = [torch.einsum("bcyx,c->byx", *pair).mean(dim=(1, 2)) for pair in zip(squares, weights, strict=True)]
    return torch.stack(layers).sum(dim=0)


def _directions(
    activations: Float[Tensor, "batch channels rows columns"],
) -> Float[Tensor, "batch channels rows columns"]:
    lengths: Tensor = (activations.square().sum(dim=1, keepdim=True) + TINY).sqrt()
    return activations / lengths


def feature_distance(network: FeatureNetwork) -> PairDistance:
    """Measure through any network, under its name: `feature_distance[embedded]`."""
    layers = [layer for layer in network.layers if layer.endswith("_1")]

    def activations(images: Image) -> Activations:
        return list(network(images, layers).values())

    return PairDistance(f"feature_distance[{network.name}]", network.sha256, activations)


def lpips(
    given: str | Path, kind: Kind = "vgg", heads: str | Path | None = None, published: Published | None = None
) -> PairDistance:
    """Build LPIPS on torchvision's published network, from a file or, for "download", from the internet.

    Args:
        given: torchvision's weights file, as published.
        kind: vgg (VGG-16) or alex (AlexNet).
        heads: another file of the published heads than the one in torchmetrics.
        published: the file to expect, if not torchvision's.

    Raises:
        WeightsError: a file is missing, another one or damaged.
    """
    backbone = BACKBONES[kind]
    file = published_file(published or backbone.published, given)
    features = _features(backbone, file)

    def activations(images: Image) -> Activations:
        return _tapped(features, normalize((images + 1) / 2, MEAN, DEVIATION), backbone.taps)

    return PairDistance("lpips", hash_of(file), activations, _heads(Path(str(heads or HEADS / f"{kind}.pth"))))


def _features(backbone: Backbone, file: Path) -> nn.Sequential:
    network = backbone.build()
    try:
        network.load_state_dict(tensors_in(file))
    except RuntimeError as error:
        raise WeightsError(
            f"{str(file)!r} does not hold the layers of {backbone.published.name}; download it again."
        ) from error
    return nn.Sequential(*network.get_submodule("features").children()).requires_grad_(False).eval()


def _tapped(features: nn.Sequential, images: Image, taps: Sequence[int]) -> Activations:
    activation, found = images, []
    for place, layer in enumerate(features[: taps[-1] + 1]):
        activation = layer(activation)
        if place in taps:
            found.append(activation.clone())  # the next layer may work in place
    return found


def _heads(file: Path) -> tuple[Head, ...]:
    """Read the weights of channels, shallow to deep."""
    state = load_file(file) if file.suffix == ".safetensors" else tensors_in(file)
    return tuple(state[name].flatten().float() for name in sorted(state))
