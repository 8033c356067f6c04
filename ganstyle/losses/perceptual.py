"""Losses on the activations of a frozen network: what an image shows, and how it is painted.

They take features by layer name, never the network; `layers` maps a layer's name to its weight.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from ganstyle.errors import ConfigError, unknown
from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Features, Scalar

Activations: TypeAlias = Float[Tensor, "batch channels rows columns"]
Statistic: TypeAlias = Callable[[Tensor], Tensor]
"""Activations -> what is left of them when places are forgotten; one tensor per image."""

STYLE_TARGETS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "each": lambda targets: targets.unsqueeze(1),
    "batch_mean": lambda targets: targets.mean(0, keepdim=True).unsqueeze(0),
    "nearest": lambda targets: targets.unsqueeze(0),
}
"""A batch of statistics -> what each image is compared with, batch (or 1) x candidates x ...; the nearest counts."""

EPSILON = 1e-5
"""Added to variances, as instance norm does."""


@in_full_precision
def content_loss(
    features: Features, targets: Features, layers: Mapping[str, float], *, normalized: bool = False
) -> Scalar:
    """Weighted sum over layers of the mean squared difference of activations.

    With `normalized`, every channel of every image is first brought to mean 0 and variance 1: the loss then ignores a
    channel's level and contrast, and a layer contributes at most 4 times its weight (about 2 if nothing is in common).

    Source: Johnson et al. 2016, eq. 2; normalized: Huang et al. 2018 (MUNIT, section 5.1).
    """
    losses = [
        weight * (_prepare(features[layer], normalized) - _prepare(targets[layer], normalized)).square().mean()
        for layer, weight in layers.items()
    ]
    return torch.stack(losses).sum()


def _prepare(activations: Activations, normalized: bool) -> Activations:
    return instance_normalized(activations) if normalized else activations


def instance_normalized(activations: Activations) -> Activations:
    """Bring every channel of every image to mean 0 and variance 1; a constant channel becomes 0."""
    variance, mean = torch.var_mean(activations, (2, 3), correction=0, keepdim=True)
    return (activations - mean) * (variance + EPSILON).rsqrt()


def gram(activations: Activations) -> Float[Tensor, "batch channels channels"]:
    """Mean product of two channels over all places (Gatys et al. 2016, eq. 3, divided by the number of places)."""
    flat = activations.flatten(2)
    return flat @ flat.mT / flat.shape[2]


def moments(activations: Activations) -> Float[Tensor, "batch 2 channels"]:
    """Mean and standard deviation of every channel (Huang & Belongie 2017, eq. 5 and 6)."""
    variance, mean = torch.var_mean(activations, (2, 3), correction=0)
    return torch.stack((mean, (variance + EPSILON).sqrt()), 1)


@in_full_precision
def style_loss(
    features: Features,
    targets: Features,
    layers: Mapping[str, float],
    *,
    statistic: Statistic = gram,
    target: str = "each",
) -> Scalar:
    """Weighted sum over layers of the squared distance to the target's statistics, relative to their mean square.

    An image without any activation is at distance 1 in every layer (at most 1 with `nearest`, whose scale is that of
    all targets), a copy of the target at 0, so one weight holds for all layers, image sizes and feature networks.
    `target` says what an image of the batch is compared with:

    * `each`: the target in its own place of the batch; two half batches then average to the whole;
    * `batch_mean`: the mean statistics of the batch's targets, the least noisy stand-in for the collection's;
    * `nearest`: whichever target of the batch is nearest to it, all layers together, so that it need not be
      like the average of paintings that are unlike each other.

    Source: Gatys et al. 2016, eq. 4 and 5; with moments: Huang & Belongie 2017, eq. 13. The relative scale is ours.
    Raises ConfigError for another `target`.
    """
    if target not in STYLE_TARGETS:
        raise ConfigError(unknown("style target", target, STYLE_TARGETS))
    distances = torch.stack(
        [
            weight * _relative_distances(statistic(features[layer]), statistic(targets[layer]), target)
            for layer, weight in layers.items()
        ]
    ).sum(0)
    return distances.min(1).values.mean()


def _relative_distances(statistics: Tensor, targets: Tensor, target: str) -> Float[Tensor, "batch candidates"]:
    """Compare every image with its candidates, on one scale: the mean square of all that it may be compared with.

    With a scale for each candidate, one flat crop of a painting among the nearest made the loss jump fivefold and
    wrecked a run.
    """
    candidates = STYLE_TARGETS[target](targets)
    scale = candidates.flatten(2).square().mean((1, 2)).unsqueeze(1)
    return (statistics.unsqueeze(1) - candidates).flatten(2).square().mean(2) / scale.clamp_min(EPSILON**2)
