"""Do results belong to a collection? Statistics of two sets of feature vectors.

A statistic keeps the name that everybody knows only on the network that everybody means: the published Inception. On
any other it carries that network's name, as in `kid[vgg19-slim16x relu4_1]`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ganstyle.metrics.absent import Absent
from ganstyle.metrics.intervals import HALVES, Half, Interval, around, half_samples, resample_set

PUBLISHED = "inception-2015-12-05"
"""The one network on which a Frechet distance is called fid."""
PER_DIMENSION = 10
"""Pictures for each feature dimension that a Frechet distance needs on either side, for its bias to be small.

Windows of one painting count once."""
PRECISION_NEIGHBORS = 3
"""As in Kynkaanniemi et al. 2019."""
COVERAGE_NEIGHBORS = 5
"""As in Naeem et al. 2020."""
Vectors: TypeAlias = Float[Tensor, "_ dimensions"]


def distribution_scores(
    results: Vectors,
    references: Vectors,
    painting: Int[Tensor, " references"],
    network: str,
    *,
    seed: int,
    draws: int = HALVES,
) -> dict[str, Interval | Absent]:
    """Measure every statistic there is between results and references, or say why one is absent.

    Args:
        results: features of the pictures that are judged, one row each.
        references: features of the crops of the collection.
        painting: the number of the painting that each crop comes from.
        network: the feature network and its layer; `PUBLISHED` gives the names fid, kid, precision and so on.
        seed: of the half samples, the same for every row.
        draws: half samples for each interval.
    """
    x, y = results.double(), references.double()
    halves = half_samples(len(x), painting, seed, draws)
    if absent := _too_few(halves, network):
        return absent
    found = _intervals(OF_SIMILARITIES, similarities(x, y), halves) | _intervals(OF_DISTANCES, distances(x, y), halves)
    distance = _frechet_or_absent(x, y, painting, network, seed, draws)
    return {score_name("frechet", network): distance} | {score_name(name, network): found[name] for name in found}


def _too_few(halves: Sequence[Half], network: str) -> dict[str, Interval | Absent]:
    """Why nothing can be measured, if half of the pictures of a set are no more than the neighbors to be counted."""
    fewest = min(len(pictures) for half in halves for pictures in half)
    if fewest > COVERAGE_NEIGHBORS:
        return {}
    reason = f"intervals rest on half of the pictures, which are {fewest} here and must be {COVERAGE_NEIGHBORS + 1}"
    names = [score_name(name, network) for name in ("frechet", *OF_SIMILARITIES, *OF_DISTANCES)]
    return {name: Absent(name, reason) for name in names}


def score_name(statistic: str, network: str) -> str:
    """Name a statistic after the network it is seen through; only the published Inception needs no mention."""
    if network == PUBLISHED:
        return "fid" if statistic == "frechet" else statistic
    return f"{statistic}[{network}]"


def frechet(x: Vectors, y: Vectors) -> float:
    """The squared Frechet distance of the normal distributions that have the two sets' means and covariances.

    The trace of the root of the covariances' product is the sum of singular values of the product of their triangular
    roots, which needs no complex numbers and loses half the digits that a root of the product itself would.

    Source: Dowson & Landau 1982; Heusel et al. 2017, eq. 6.
    """
    shift = (x.mean(dim=0) - y.mean(dim=0)).square().sum()
    first, second = _root(x), _root(y)
    shared = torch.linalg.matrix_norm(first @ second.T, "nuc")
    return float(shift + first.square().sum() + second.square().sum() - 2 * shared)


def _root(vectors: Vectors) -> Float[Tensor, "_ dimensions"]:
    """A triangular R whose R^T R is the covariance."""
    centered = vectors - vectors.mean(dim=0)
    root: Tensor = torch.linalg.qr(centered, mode="r").R
    return root / sqrt(len(vectors) - 1)


def _frechet_or_absent(
    x: Vectors, y: Vectors, painting: Int[Tensor, " references"], network: str, seed: int, draws: int
) -> Interval | Absent:
    fewest, dimensions = min(len(x), paintings(painting)), x.shape[1]
    if fewest < PER_DIMENSION * dimensions:
        return Absent(
            score_name("frechet", network),
            f"features of {dimensions} dimensions need {PER_DIMENSION * dimensions} pictures on either side and there "
            f"are {fewest}",
        )
    return resample_set(frechet, x, y, painting, seed, draws=draws)


def paintings(painting: Int[Tensor, " crops"]) -> int:
    """Count the paintings that crops come from: many windows of one painting are not many pictures."""
    return len(set(painting.tolist()))


@dataclass(frozen=True)
class Table:
    """A number for every two pictures: similarities, or distances."""

    own: Float[Tensor, "results results"]
    across: Float[Tensor, "results references"]
    other: Float[Tensor, "references references"]

    def part(self, half: Half) -> "Table":
        """The same of a half sample."""
        rows, columns = half
        return Table(
            self.own[rows[:, None], rows], self.across[rows[:, None], columns], self.other[columns[:, None], columns]
        )


def similarities(x: Vectors, y: Vectors) -> Table:
    """The cubic kernel of Binkowski et al. 2018, section 4: (x . y / dimensions + 1)^3."""
    products = (x @ x.T, x @ y.T, y @ y.T)
    return Table(*((product / x.shape[1] + 1) ** 3 for product in products))


def distances(x: Vectors, y: Vectors) -> Table:
    """Euclidean distances."""
    measure = partial(torch.cdist, compute_mode="donot_use_mm_for_euclid_dist")
    return Table(measure(x, x), measure(x, y), measure(y, y))


def kid(similar: Table) -> float:
    """The unbiased squared maximum mean discrepancy; below zero by chance where the sets are alike.

    Over all pairs, which is what means over random subsets tend to (Binkowski et al. 2018, section 4; Gretton et al.
    2012, eq. 3).
    """
    return float(_mean_of_pairs(similar.own) + _mean_of_pairs(similar.other) - 2 * similar.across.mean())


def _mean_of_pairs(table: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    """Average over pairs of two different pictures."""
    count = len(table)
    return (table.sum() - table.diagonal().sum()) / (count * (count - 1))


def precision(distant: Table) -> float:
    """Share of results that lie within the third neighbor's distance of some reference; 1 is best."""
    return float(_within(distant.across, distant.other, PRECISION_NEIGHBORS).any(dim=1).double().mean())


def recall(distant: Table) -> float:
    """Share of references that lie within the third neighbor's distance of some result; 1 is best."""
    return float(_within(distant.across.T, distant.own, PRECISION_NEIGHBORS).any(dim=1).double().mean())


def density(distant: Table) -> float:
    """In how many references' neighborhoods a result lies, over the number expected; 1 for equal sets, or more."""
    inside = _within(distant.across, distant.other, COVERAGE_NEIGHBORS)
    return float(inside.double().sum(dim=1).mean() / COVERAGE_NEIGHBORS)


def coverage(distant: Table) -> float:
    """Share of references that have a result in their neighborhood; 1 is best."""
    return float(_within(distant.across, distant.other, COVERAGE_NEIGHBORS).any(dim=0).double().mean())


def _within(
    across: Float[Tensor, "points centers"], among: Float[Tensor, "centers centers"], neighbors: int
) -> Bool[Tensor, "points centers"]:
    """Whether a point lies no farther from a center than the center's k-th neighbor of its own set."""
    return across <= among.kthvalue(neighbors + 1, dim=1).values


Statistics: TypeAlias = Mapping[str, Callable[[Table], float]]
OF_SIMILARITIES: Statistics = {"kid": kid}
SHARES = ("precision", "recall", "coverage")
"""Statistics that cannot be below 0 or above 1, and neither can their intervals."""
OF_DISTANCES: Statistics = {"precision": precision, "recall": recall, "density": density, "coverage": coverage}


def _intervals(statistics: Statistics, table: Table, halves: Sequence[Half]) -> dict[str, Interval]:
    """Measure statistics of one table on everything and on each half sample."""
    parts = [table.part(half) for half in halves]
    return {name: _interval(name, statistic, table, parts) for name, statistic in statistics.items()}


def _interval(name: str, statistic: Callable[[Table], float], table: Table, parts: Sequence[Table]) -> Interval:
    value, low, high = around(statistic(table), torch.tensor([statistic(part) for part in parts], dtype=torch.float64))
    return Interval(value, max(low, 0.0), min(high, 1.0)) if name in SHARES else Interval(value, low, high)
