"""How many results are taken for pictures of the collection, by a classifier that is trained on the spot.

The idea is that of Sanakoyeu et al. 2018, who ask a network trained on artists. Ours only tells one collection from
photographs, from photographs in the collection's colors and from photographs compressed like the collection's files, so
that neither color nor compression gives a picture away. Where it cannot, there is no rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ganstyle.draws import generator_of
from ganstyle.images import recompress
from ganstyle.metrics.absent import Absent
from ganstyle.metrics.features import FeatureNetwork
from ganstyle.metrics.intervals import Interval, mean_of_two, proportion
from ganstyle.metrics.sets import Bytes, as_images, stacked

NAME = "deception"
LEAST_ACCURACY = 0.7
"""Lower bound of the balanced accuracy under which no rate is given."""
FOLDS = 5
QUALITIES = (75, 90)
"""Of JPEG files, where those of the paintings are not known."""
SIDE = 128
"""Pictures at least twice as large are brought near this side, which keeps strokes and loses traces of compression."""
LAYERS = ("relu1_2", "relu2_2", "relu3_1")
RIDGE = 0.3
"""Of standardized descriptors; anything from 0.03 to 0.3 tells two real collections as well from photographs."""
CHUNK = 8
Descriptors = Float[Tensor, "_ dimensions"]
Numbers = Int[Tensor, "_"]


@dataclass(frozen=True)
class Deception:
    """What the classifier says."""

    accuracy: Interval
    """Balanced accuracy on paintings and photographs that it was not trained with."""
    rates: Mapping[str, Interval]
    """Row -> share of its pictures taken for the collection's."""

    def __str__(self) -> str:
        """Say in one sentence how good the classifier is."""
        value, low, high = self.accuracy
        return (
            f"The classifier behind the deception rate tells paintings from photographs with a balanced accuracy of "
            f"{value:.2f} [{low:.2f}, {high:.2f}]."
        )


class Collection(NamedTuple):
    """What is to be told from photographs."""

    crops: Bytes
    painting: Numbers
    """The number of the painting that each crop comes from."""
    qualities: Sequence[int] = QUALITIES
    """Of the paintings' JPEG files."""


def deception(
    photographs: Bytes,
    recolored: Bytes,
    collection: Collection,
    rows: Mapping[str, Bytes],
    network: FeatureNetwork,
    *,
    seed: int,
) -> Deception | Absent:
    """Train the classifier in five folds, and ask it for pictures made from photographs that it was not trained with.

    Crops of one painting, and all versions of one photograph, are always on the same side of a fold.

    Args:
        photographs: the sources, 8 bits.
        recolored: the same in the collection's colors.
        collection: crops of the paintings.
        rows: pictures to be judged by the name of their row; picture n is made from photograph n.
        network: what the classifier sees through.
        seed: of the folds.

    Returns:
        The rates, or the reason why there are none: too few paintings or photographs, or a classifier that cannot tell
        them apart.
    """
    count = min(FOLDS, len(set(collection.painting.tolist())), len(photographs))
    if count < 2:
        return Absent(NAME, "a classifier needs two paintings and two photographs to be tested on what it has not seen")
    negatives = (photographs, recolored, _compressed(photographs, collection.qualities))
    trial = Trial(
        describe(collection.crops, network),
        torch.stack([describe(pictures, network) for pictures in negatives]),
        collection.painting,
        _folds(collection.painting, count, "paintings", seed),
        _folds(torch.arange(len(photographs)), count, "photographs", seed),
    )
    accuracy = trial.accuracy()
    if accuracy.low < LEAST_ACCURACY:
        return Absent(NAME, _refusal(accuracy))
    return Deception(accuracy, {name: trial.rate(describe(pictures, network)) for name, pictures in rows.items()})


def _refusal(accuracy: Interval) -> str:
    value, low, high = accuracy
    return (
        f"its classifier tells paintings from photographs with a balanced accuracy of only {value:.2f} [{low:.2f}, "
        f"{high:.2f}], whose lower bound should be {LEAST_ACCURACY}"
    )


def _folds(items: Numbers, count: int, name: str, seed: int) -> Numbers:
    """Deal the different items out to folds by chance; equal ones get the same fold."""
    numbers = sorted(set(items.tolist()))
    order = torch.randperm(len(numbers), generator=generator_of("folds", name, seed)).tolist()
    fold = {number: place % count for number, place in zip(numbers, order, strict=True)}
    return torch.tensor([fold[number] for number in items.tolist()])


def _compressed(photographs: Bytes, qualities: Sequence[int]) -> Bytes:
    """Compress photographs like the paintings' files, the qualities in turn."""
    pixels = photographs.movedim(1, -1).numpy()
    return stacked([recompress(one, qualities[number % len(qualities)]) for number, one in enumerate(pixels)])


def describe(pictures: Bytes, network: FeatureNetwork) -> Descriptors:
    """Mean and deviation of every channel of a few shallow layers, seen at about `SIDE` pixels."""
    return torch.cat([_described(as_images(chunk), network) for chunk in torch.split(pictures, CHUNK)])


def _described(images: Float[Tensor, "batch 3 height width"], network: FeatureNetwork) -> Descriptors:
    shrunk = F.avg_pool2d(images, max(1, min(images.shape[-2:]) // SIDE))
    layers = [layer.flatten(2).double() for layer in network(shrunk, LAYERS).values()]
    return torch.cat([moment for layer in layers for moment in (layer.mean(dim=2), layer.std(dim=2))], dim=1)


class Classifier(NamedTuple):
    """A linear one, on standardized descriptors."""

    mean: Float[Tensor, " dimensions"]
    scale: Float[Tensor, " dimensions"]
    slope: Float[Tensor, " dimensions"]

    def __call__(self, pictures: Descriptors) -> Float[Tensor, "_"]:
        """Return a number for each picture, above zero for the collection."""
        return ((pictures - self.mean) / self.scale) @ self.slope


def train(crops: Descriptors, others: Descriptors, weights: Float[Tensor, "_"]) -> Classifier:
    """Fit +1 for crops and -1 for others by ridge regression, both classes of equal weight.

    Args:
        crops: descriptors of the collection.
        others: descriptors of everything else, which count equally.
        weights: how much each crop counts.
    """
    x = torch.cat([crops, others])
    share = torch.cat([weights / weights.sum(), torch.full((len(others),), 1 / len(others))]).double() / 2
    sign = torch.cat([torch.ones(len(crops)), -torch.ones(len(others))]).double()
    mean = share @ x
    scale = (share @ (x - mean).square()).sqrt().clamp_min(1e-6)
    z = (x - mean) / scale
    covariance = (z.T * share) @ z + RIDGE * torch.eye(x.shape[1], dtype=x.dtype)
    return Classifier(mean, scale, torch.linalg.solve(covariance, z.T @ (share * sign)))


@dataclass(frozen=True)
class Trial:
    """Descriptors of both classes, dealt out to folds."""

    crops: Float[Tensor, "crops dimensions"]
    others: Float[Tensor, "kinds photographs dimensions"]
    """Several versions of every photograph."""
    painting: Int[Tensor, " crops"]
    fold_of_crop: Int[Tensor, " crops"]
    fold_of_photograph: Int[Tensor, " photographs"]

    @cached_property
    def classifiers(self) -> list[Classifier]:
        """One for each fold, trained without it."""
        return [self._train(fold) for fold in range(int(self.fold_of_crop.max()) + 1)]

    def _train(self, fold: int) -> Classifier:
        crops = self.fold_of_crop != fold
        others = self.others[:, self.fold_of_photograph != fold].flatten(0, 1)
        sizes = self.painting.bincount()[self.painting[crops]]
        return train(self.crops[crops], others, weights=1 / sizes)

    def accuracy(self) -> Interval:
        """Balanced accuracy on what a classifier has not seen; every painting counts once, however many its crops."""
        found = self._taken(self.crops, self.fold_of_crop).double()
        refused = [~self._taken(kind, self.fold_of_photograph) for kind in self.others]
        numbers = sorted(set(self.painting.tolist()))
        right = torch.stack([found[self.painting == number].mean() for number in numbers])
        return mean_of_two(
            proportion(float(right.mean()), len(right)),
            proportion(float(torch.stack(refused).double().mean()), len(self.fold_of_photograph)),
        )

    def rate(self, row: Float[Tensor, "photographs dimensions"]) -> Interval:
        """Share of a row's pictures that are taken for the collection's."""
        return proportion(float(self._taken(row, self.fold_of_photograph).double().mean()), len(row))

    def _taken(
        self, pictures: Float[Tensor, "pictures dimensions"], fold: Int[Tensor, " pictures"]
    ) -> Bool[Tensor, " pictures"]:
        """Ask for each picture the classifier that has not seen its fold."""
        verdicts = torch.stack([classifier(pictures) > 0 for classifier in self.classifiers])
        return verdicts[fold, torch.arange(len(fold))]
