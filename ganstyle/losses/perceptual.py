"""Losses on the activations of a frozen network: what an image shows, and how it is painted.

They take features by layer name, never the network; `layers` maps a layer's name to its weight.
"""

from collections.abc import Callable, Iterable, Mapping
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
DISTRIBUTION = "distribution"
"""The target that is no single statistic: all of the batch's targets as a set."""

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
    earlier: Features | None = None,
) -> Scalar:
    """Weighted sum over layers of the squared distance to the target's statistics, relative to their mean square.

    An image without any activation is at distance 1 in every layer (at most 1 with `nearest`, whose scale is that of
    all targets), a copy of the target at 0, so one weight holds for all layers, image sizes and feature networks.
    `target` says what an image of the batch is compared with:

    * `each`: the target in its own place of the batch; two half batches then average to the whole;
    * `batch_mean`: the mean statistics of the batch's targets, the least noisy stand-in for the collection's;
    * `nearest`: whichever target of the batch is nearest to it, all layers together, so that it need not be
      like the average of paintings that are unlike each other;
    * `distribution`: all targets of the batch as a set: the energy distance 2 E|x - y| - E|x - x'| - E|y - y'| of
      results x and targets y, where |.| is the root of the weighted sum of squares. Squared distances have their least
      where every image has the mean style; this one where images differ as paintings do. It is 0 on average for equal
      distributions (below 0 by chance), at most 2 beyond that for images without any activation. `earlier` are the
      statistics of targets of earlier batches, by layer, that belong to the set, too. With the targets of a small batch
      alone, the scale is near where they are small, which draws results to the quiet paintings of a collection.

    Source: Gatys et al. 2016, eq. 4 and 5; with moments: Huang & Belongie 2017, eq. 13; `distribution`: Szekely & Rizzo
    2013, eq. 2, as a loss: Bellemare et al. 2017. The relative scale is ours.
    Raises ConfigError for another `target`.
    """
    if target != DISTRIBUTION and target not in STYLE_TARGETS:
        raise ConfigError(unknown("style target", target, (*STYLE_TARGETS, DISTRIBUTION)))
    results, wanted = (style_statistics(each, layers, statistic) for each in (features, targets))
    if target == DISTRIBUTION:
        return _energy_distance(results, wanted, layers, earlier)
    candidates = {layer: STYLE_TARGETS[target](wanted[layer]) for layer in layers}
    return _weighted_distances(results, candidates, layers).min(1).values.mean()


@in_full_precision
def style_statistics(features: Features, layers: Iterable[str], statistic: Statistic = gram) -> Features:
    """Compute by layer what `style_loss` compares, one row for each image."""
    return {layer: statistic(features[layer]) for layer in layers}


def _energy_distance(
    results: Features, targets: Features, layers: Mapping[str, float], earlier: Features | None
) -> Scalar:
    """Compare two sets of images by the statistics of their layers."""
    everything = targets if earlier is None else {k: torch.cat([targets[k], earlier[k]]) for k in layers}
    between, own, others = (
        _weighted_distances(a, {layer: statistics.unsqueeze(0) for layer, statistics in b.items()}, layers, everything)
        for a, b in ((results, everything), (results, results), (targets, everything))
    )
    return _energy(between, own, others)


@in_full_precision
def numbers_loss(
    results: Float[Tensor, "batch numbers"],
    targets: Float[Tensor, "targets numbers"],
    *,
    target: str = DISTRIBUTION,
    earlier: Float[Tensor, "earlier numbers"] | None = None,
) -> Scalar:
    """Compare images by some numbers of each, in the units of the numbers; `target` and `earlier` as in `style_loss`.

    As a distribution, 0 on average for equal ones; else the squared distance to what an image is compared with.
    Raises ConfigError for another `target`.
    """
    if target == DISTRIBUTION:
        everything = targets if earlier is None else torch.cat([targets, earlier])
        return _energy(*(_squares(a, b) for a, b in ((results, everything), (results, results), (targets, everything))))
    if target not in STYLE_TARGETS:
        raise ConfigError(unknown("style target", target, (*STYLE_TARGETS, DISTRIBUTION)))
    return (results.unsqueeze(1) - STYLE_TARGETS[target](targets)).square().sum(2).min(1).values.mean()


def _squares(some: Tensor, others: Tensor) -> Float[Tensor, "some others"]:
    return (some.unsqueeze(1) - others.unsqueeze(0)).square().sum(2)


def _energy(between: Tensor, own: Tensor, others: Tensor) -> Scalar:
    """From squared distances, some x all, between and within sets; the means within a set are over different images."""
    return 2 * _root(between).mean() - _within(own) - _within(others)


def _within(squares: Float[Tensor, "some all"]) -> Scalar:
    """Mean distance of some images to all others, of which they are the first; 0 for one image."""
    apart = 1 - torch.eye(*squares.shape, dtype=squares.dtype, device=squares.device)
    return (_root(squares) * apart).sum() / max(1, squares.numel() - min(squares.shape))


def _root(squares: Tensor) -> Tensor:
    """Root whose slope stays finite at 0."""
    return (squares + EPSILON**2).sqrt()


def _weighted_distances(
    statistics: Features, candidates: Features, layers: Mapping[str, float], scaled_by: Features | None = None
) -> Float[Tensor, "batch candidates"]:
    """Squared distance of every image to its candidates, batch (or 1) x candidates x ..., over all layers.

    Each layer is relative to the mean square of `scaled_by`, or of all that an image may be compared with. With a scale
    for each candidate, one flat crop of a painting among the nearest made the loss jump fivefold and wrecked a run.
    """
    return torch.stack(
        [
            weight
            * (statistics[layer].unsqueeze(1) - candidates[layer]).flatten(2).square().mean(2)
            / _scale(candidates[layer] if scaled_by is None else scaled_by[layer].unsqueeze(0))
            for layer, weight in layers.items()
        ]
    ).sum(0)


def _scale(candidates: Tensor) -> Float[Tensor, "batch 1"]:
    return candidates.flatten(2).square().mean((1, 2)).unsqueeze(1).clamp_min(EPSILON**2)
