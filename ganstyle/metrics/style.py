"""How far is it to the collection? Distances between two sets of pictures, from descriptors of single pictures.

Each is zero, up to chance, for two samples of one collection, and shrinks in proportion to the share of results that
are exchanged for pictures of the collection: tossing a coin between two rows lands on the straight line between them.
"""

from collections.abc import Callable
from functools import partial
from math import sqrt
from typing import NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from ganstyle.draws import generator_of
from ganstyle.errors import WeightsError
from ganstyle.metrics.features import FeatureNetwork
from ganstyle.metrics.gabor import gabor_energies
from ganstyle.metrics.marginals import color_distance, color_functions, patch_distance, patch_functions
from ganstyle.types import Image

GRAM_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
"""Layers of Gatys et al. 2016 as far as small feature networks reach; those that there are count."""
PROBES = 256
"""Random products by which a Gram matrix is known."""
BATCH = 8
"""Pictures that are described together."""

Descriptors: TypeAlias = Float[Tensor, "_ _"]
Describe: TypeAlias = Callable[[Image], Tensor]


class StyleScore(NamedTuple):
    """A distance between two sets of pictures."""

    name: str
    describe: Describe
    """Pictures -> one row of numbers for each, in float64, whatever the other pictures are."""
    distance: Callable[[Tensor, Tensor], float]
    """Descriptors of results and of references -> how far they are apart; 0 for the same distribution."""


def style_scores(network: FeatureNetwork, seed: int) -> tuple[StyleScore, ...]:
    """Return every score of the style side.

    Args:
        network: the features that Gram matrices are taken of.
        seed: of the random axes that Gram matrices and patches are projected on.

    Raises:
        WeightsError: the network has none of the layers that Gram matrices are taken of.
    """
    grams = partial(gram_probes, network=network, seed=seed)
    patches = partial(patch_functions, seed=seed)
    return (
        StyleScore("gram", _in_batches(grams), relative_energy_distance),
        StyleScore("patches", _in_batches(patches), patch_distance),
        StyleScore("gabor", _in_batches(gabor_energies), energy_distance),
        StyleScore("color", _in_batches(color_functions), color_distance),
    )


def gram_probes(images: Image, network: FeatureNetwork, seed: int) -> Descriptors:
    """Describe each picture by random products u G v of the Gram matrices G of its features, 256 a layer.

    The mean square of the products of a matrix, over normal u and v, is its squared Frobenius norm; so distances
    between descriptors are, up to some percent, those between Gram matrices (Johnson & Lindenstrauss 1984).
    """
    layers = [layer for layer in GRAM_LAYERS if layer in network.layers]
    if not layers:
        raise WeightsError(f"the features {network.name} have none of {', '.join(GRAM_LAYERS)}; give deeper ones.")
    features = network(images, layers)
    return torch.cat([_probed(features[layer], layer, seed) for layer in layers], 1)


def _probed(activations: Float[Tensor, "batch channels rows columns"], layer: str, seed: int) -> Descriptors:
    flat = activations.flatten(2).double()
    gram = flat @ flat.mT / flat.shape[2]
    draws = generator_of("gram probes", layer, seed)
    left, right = torch.randn(2, PROBES, flat.shape[1], generator=draws, dtype=torch.float64).to(flat.device)
    products: Tensor = ((left @ gram) * right).sum(2) / PROBES**0.5
    return products


def relative_energy_distance(results: Descriptors, references: Descriptors) -> float:
    """Energy distance in which each layer counts alike: relative to the collection's mean square in that layer."""
    scale = references.reshape(len(references), -1, PROBES).square().sum(2).mean(0).sqrt()
    weights = scale.clamp_min(torch.finfo(torch.float32).tiny).repeat_interleave(PROBES)
    return energy_distance(results / weights, references / weights)


def energy_distance(results: Descriptors, references: Descriptors) -> float:
    """Root of 2 E|x - y| - E|x - x'| - E|y - y'| over results x and references y; 0 where chance makes it negative.

    The means within a set are over different pictures, so that small sets are not farther apart than large ones.

    Source: Szekely & Rizzo 2013, eq. 2.
    """
    between = float(torch.cdist(results, references).mean())
    return sqrt(max(0.0, 2 * between - _within(results) - _within(references)))


def _within(descriptors: Descriptors) -> float:
    """Mean distance of two different pictures of a set; 0 for one picture."""
    count = len(descriptors)
    total = float(torch.cdist(descriptors, descriptors).fill_diagonal_(0).sum())
    return total / (count * (count - 1)) if count > 1 else 0.0


def _in_batches(describe: Describe) -> Describe:
    """Describe a few pictures at a time, without gradients."""

    @torch.no_grad()
    def described(images: Image) -> Tensor:
        return torch.cat([describe(part).double() for part in torch.split(images, BATCH)])

    return described
