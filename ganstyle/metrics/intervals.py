"""How far a number may be off: intervals over the pictures that were not measured."""

from collections.abc import Callable
from math import hypot, sqrt
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.stats import bootstrap, norm
from torch import Tensor

from ganstyle.draws import generator_of

LEVEL = 0.95
RESAMPLES = 2000
HALVES = 200
"""Half samples on which the interval of a set score rests."""
Half: TypeAlias = tuple[Int[Tensor, "_"], Int[Tensor, "_"]]
"""The results and the references of one half sample, by number."""


class Interval(NamedTuple):
    """A number, and the interval that holds the true one 95 times in 100 unless told otherwise."""

    value: float
    low: float
    high: float


def bootstrap_mean(values: Float[Tensor, " images"], seed: int, level: float = LEVEL) -> Interval:
    """Average a score over images, with the percentile bootstrap's interval.

    A mean that is infinite or not a number is its own interval; one picture alone has an unbounded one.

    Source: Efron & Tibshirani 1993, section 13.3.
    """
    numbers = values.double().numpy()
    mean = float(numbers.mean()) if len(numbers) else float("nan")
    if not np.isfinite(mean):
        return Interval(mean, mean, mean)
    if len(numbers) == 1:
        return Interval(mean, float("-inf"), float("inf"))
    found = bootstrap(
        (numbers,),
        np.mean,
        vectorized=True,
        n_resamples=RESAMPLES,
        confidence_level=level,
        method="percentile",
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high))


def bootstrap_difference(
    first: Float[Tensor, " images"], second: Float[Tensor, " images"], seed: int, level: float = LEVEL
) -> Interval:
    """How much higher the first of two methods scores than the second in the mean, on the same images."""
    return bootstrap_mean(first.double() - second.double(), seed, level)


def proportion(share: float, count: int, level: float = LEVEL) -> Interval:
    """A share of independent cases, with Wilson's interval, which stays honest where all or none are right.

    Where the cases are clusters (several crops of one painting) give the mean of the clusters' shares and their number:
    the interval is then on the safe side, as shares scatter no more than yes and no.

    Source: Wilson 1927.
    """
    z = float(norm.ppf((1 + level) / 2))
    center = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    reach = z / (1 + z**2 / count) * sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return Interval(share, min(share, max(0.0, center - reach)), max(share, min(1.0, center + reach)))


def mean_of_two(first: Interval, second: Interval) -> Interval:
    """Average two numbers that were measured on different pictures.

    Source: Zou & Donner 2008, who add squared distances to the bounds, for a sum.
    """
    value = (first.value + second.value) / 2
    down = hypot(first.value - first.low, second.value - second.low) / 2
    up = hypot(first.high - first.value, second.high - second.value) / 2
    return Interval(value, value - down, value + up)


def half_samples(results: int, painting: Int[Tensor, " references"], seed: int, draws: int = HALVES) -> list[Half]:
    """Draw half of the results, and the crops of half of the paintings, without replacement.

    Crops of one painting stay together: a few large paintings are not more pictures for being cut up.
    """
    chance = generator_of("half samples", seed)
    numbers = torch.tensor(sorted(set(painting.tolist())))
    halves = [(_half(torch.arange(results), chance), _half(numbers, chance)) for _ in range(draws)]
    return [(own, torch.isin(painting, drawn).nonzero()[:, 0]) for own, drawn in halves]


def resample_set(
    distance: Callable[[Tensor, Tensor], float],
    results: Float[Tensor, "results _"],
    references: Float[Tensor, "references _"],
    painting: Int[Tensor, " references"],
    seed: int,
    level: float = LEVEL,
    draws: int = HALVES,
) -> Interval:
    """Measure a distance between two sets of descriptors, with an interval from half samples.

    Half samples without replacement repeat no picture, as a bootstrap would, which sees two equal pictures at distance
    zero; they scatter as the whole does (the delete-d jackknife with d = n / 2: Shao & Wu 1989). As a distance
    of smaller sets is larger by its bias, only the scatter around their mean is taken from them.

    Args:
        distance: of results and references.
        results: descriptors of independent pictures.
        references: descriptors of the crops that the results are compared with.
        painting: the number of the painting that each crop comes from.
        seed: of the half samples.
        level: of the interval.
        draws: how many half samples.
    """
    halves = half_samples(len(results), painting, seed, draws)
    drawn = torch.tensor([distance(results[own], references[other]) for own, other in halves], dtype=torch.float64)
    return around(distance(results, references), drawn, level)


def around(value: float, draws: Float[Tensor, " draws"], level: float = LEVEL) -> Interval:
    """The interval of a measurement whose half samples scatter like this."""
    tails = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = (value + torch.quantile(draws.double() - draws.double().mean(), tails)).tolist()
    return Interval(value, low, high)


def _half(items: Int[Tensor, " items"], chance: torch.Generator) -> Int[Tensor, " half"]:
    """Draw half of the items, rounded up, in their order."""
    order = torch.randperm(len(items), generator=chance)
    return items[order[: -(-len(items) // 2)].sort().values]
