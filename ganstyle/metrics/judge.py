"""The scores that an evaluation is made with, as callables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from ganstyle.metrics.content import dog_ssim, edge_correlation, self_similarity
from ganstyle.metrics.features import FeatureNetwork
from ganstyle.metrics.glance import glance
from ganstyle.metrics.inception import Inception
from ganstyle.metrics.known_answer import psnr
from ganstyle.metrics.lpips import PairDistance, feature_distance
from ganstyle.metrics.paired import l1, label_accuracy, label_colors, ssim
from ganstyle.metrics.plane import Described
from ganstyle.metrics.sets import Sources, as_bytes, as_images
from ganstyle.metrics.style import GRAM_LAYERS, StyleScore, style_scores
from ganstyle.types import Image

Compare: TypeAlias = Callable[[Image, Image], Float[Tensor, " batch"]]
"""What a result should keep (its photograph, or the known answer) and the result -> one number for each."""
Describe: TypeAlias = Callable[[Image], Tensor]
"""Pictures -> one row of numbers for each."""


@dataclass(frozen=True)
class Judge:
    """Scores by name, for each side."""

    features: str
    """The feature network by name."""
    features_sha256: str
    content: Mapping[str, Compare]
    """Of photograph and result."""
    style: tuple[StyleScore, ...]
    truth: Mapping[str, Compare] = field(default_factory=dict)
    """Of known answer and result."""
    vectors: Mapping[str, Describe] = field(default_factory=dict)
    """Feature vectors that sets are compared by outside the plane, by the network that sees them."""

    @property
    def describers(self) -> Mapping[str, Describe]:
        """Everything that describes a single picture, for comparisons of sets."""
        return {score.name: score.describe for score in self.style} | dict(self.vectors)

    @torch.inference_mode()
    def describe(self, source: Image, result: Image, truth: Image | None = None) -> Described:
        """Put a row's pictures into numbers."""
        kept = {name: score(source, result).double() for name, score in self.content.items()}
        right = {name: score(truth, result).double() for name, score in self.truth.items() if truth is not None}
        return Described(kept | right, {name: describe(result) for name, describe in self.describers.items()})


def joined(parts: list[Described]) -> Described:
    """Put the chunks of one row together."""
    first = parts[0]
    return Described(
        {name: torch.cat([part.scores[name] for part in parts]) for name in first.scores},
        {name: torch.cat([part.descriptors[name] for part in parts]) for name in first.descriptors},
    )


@dataclass(frozen=True)
class Published:
    """Networks that scores are named after, where they are at hand."""

    inception: Inception | None = None
    lpips: PairDistance | None = None


def judge_through(network: FeatureNetwork, sources: Sources, published: Published = Published(), *, seed: int) -> Judge:
    """Take every score that there is for these photographs.

    Args:
        network: the features that style and self-similarity are seen through.
        sources: known answers add scores against them.
        published: networks that FID and LPIPS are defined on; without them sets are compared as `network` sees them.
        seed: of the random projections in style scores.
    """
    deepest = network.layers[-1]
    network = glance(network, [layer for layer in (*GRAM_LAYERS, deepest) if layer in network.layers])
    inception = published.inception
    return Judge(
        _listed(network.name, inception.name if inception else None),
        _listed(network.sha256, inception.sha256 if inception else None),
        {"edge_correlation": edge_correlation, "dog_ssim": dog_ssim, "self_similarity": _seen_alike(network, deepest)},
        style_scores(network, seed),
        _truth(sources, published.lpips or feature_distance(network)),
        _described_by(inception) if inception else {f"{network.name} {deepest}": _pooled(network, deepest)},
    )


def _listed(name: str, other: str | None) -> str:
    return f"{name}; {other}" if other else name


def _described_by(inception: Inception) -> dict[str, Describe]:
    def vectors(images: Image) -> Float[Tensor, "batch _"]:
        return inception(as_bytes(images))

    return {inception.name: vectors}


def _seen_alike(network: FeatureNetwork, layer: str) -> Compare:
    def similarity(source: Image, result: Image) -> Float[Tensor, " batch"]:
        return self_similarity(network(source, [layer])[layer], network(result, [layer])[layer])

    return similarity


def _pooled(network: FeatureNetwork, layer: str) -> Describe:
    def vectors(images: Image) -> Float[Tensor, "batch channels"]:
        return network(images, [layer])[layer].mean(dim=(2, 3))

    return vectors


def _truth(sources: Sources, distance: PairDistance) -> dict[str, Compare]:
    """Scores against the known answer, or against the target of a pair."""
    if sources.truth is None:
        return {}
    if not sources.paired:
        return {"psnr": psnr, "ssim": ssim}
    labels = label_colors(as_images(sources.truth))
    accuracy = {} if labels is None else {"label_accuracy": _labeled(labels)}
    return {"l1": l1, "psnr": psnr, "ssim": ssim, distance.name: distance, **accuracy}


def _labeled(labels: Float[Tensor, "labels 3"]) -> Compare:
    def accuracy(target: Image, result: Image) -> Float[Tensor, " batch"]:
        return label_accuracy(result, target, labels)

    return accuracy
