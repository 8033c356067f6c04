import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from ganstyle.metrics.absent import Absent
from ganstyle.metrics.distribution import (
    PUBLISHED,
    coverage,
    density,
    distances,
    distribution_scores,
    frechet,
    kid,
    precision,
    recall,
    similarities,
)
from ganstyle.metrics.intervals import Interval

NETWORK = "vgg19-slim16x relu4_1"


def vectors(count: int, dimensions: int = 8, shift: float = 0.0, seed: int = 0) -> Tensor:
    chance = torch.Generator().manual_seed(seed)
    return shift + torch.randn(count, dimensions, generator=chance, dtype=torch.float64)


class Given(nn.Module):
    """Stands in for a network where features are given already."""

    num_features = 8

    def forward(self, features: Tensor) -> Tensor:
        return features


@given(seed=st.integers(0, 1000), shift=st.floats(0, 2))
@settings(max_examples=10)
def test_frechet_distances_are_those_of_torchmetrics_and_torch_fidelity(seed: int, shift: float) -> None:
    x, y = vectors(90, seed=seed), vectors(120, shift=shift, seed=seed + 1)
    theirs = FrechetInceptionDistance(Given()).set_dtype(torch.float64)
    theirs.update(x, real=False)
    theirs.update(y, real=True)
    assert frechet(x, y) == pytest.approx(float(theirs.compute()), rel=1e-5, abs=1e-6)
    others = fid_statistics_to_metric(*map(fid_features_to_statistics, (x, y)), False)
    assert frechet(x, y) == pytest.approx(others["frechet_inception_distance"], rel=1e-6, abs=1e-8)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save")
@given(seed=st.integers(0, 1000), shift=st.floats(0, 2))
@settings(max_examples=10)
def test_kernel_distances_are_those_of_torchmetrics_and_torch_fidelity_where_a_subset_is_all(
    seed: int, shift: float
) -> None:
    x, y = vectors(30, seed=seed), vectors(30, shift=shift, seed=seed + 1)
    theirs = KernelInceptionDistance(Given(), subsets=1, subset_size=30).set_dtype(torch.float64)
    theirs.update(x, real=False)
    theirs.update(y, real=True)
    ours = kid(similarities(x, y))
    assert ours == pytest.approx(float(theirs.compute()[0]), rel=1e-4, abs=1e-6)
    others = kid_features_to_metric(x, y, kid_subsets=1, kid_subset_size=30, verbose=False)
    assert ours == pytest.approx(others["kernel_inception_distance_mean"], rel=1e-9, abs=1e-12)


def test_means_over_subsets_tend_to_the_kernel_distance_over_all_pairs() -> None:
    x, y = vectors(40), vectors(60, shift=0.5, seed=1)
    theirs = kid_features_to_metric(x, y, kid_subsets=3000, kid_subset_size=20, verbose=False)
    assert kid(similarities(x, y)) == pytest.approx(theirs["kernel_inception_distance_mean"], rel=0.05)


@given(seed=st.integers(0, 1000), shift=st.floats(0, 2))
@settings(max_examples=10)
def test_precision_and_recall_are_those_of_torch_fidelity(seed: int, shift: float) -> None:
    x, y = vectors(40, 3, seed=seed), vectors(60, 3, shift, seed=seed + 1)
    theirs = prc_features_to_metric(x, y, prc_neighborhood=3, prc_batch_size=100, save_cpu_ram=False, verbose=False)
    found = distances(x, y)
    assert (precision(found), recall(found)) == pytest.approx((theirs["precision"], theirs["recall"]), abs=1e-6)


@given(seed=st.integers(0, 1000), shift=st.floats(0, 2))
@settings(max_examples=10)
def test_density_and_coverage_are_what_counting_one_by_one_finds(seed: int, shift: float) -> None:
    x, y = vectors(15, 2, seed=seed), vectors(12, 2, shift, seed=seed + 1)
    radii = [sorted(math.dist(a, b) for b in y.tolist())[5] for a in y.tolist()]
    hits = [[math.dist(a, b) <= radius for b, radius in zip(y.tolist(), radii, strict=True)] for a in x.tolist()]
    assert density(distances(x, y)) == pytest.approx(sum(map(sum, hits)) / (5 * 15))
    assert coverage(distances(x, y)) == pytest.approx(sum(map(any, zip(*hits, strict=True))) / 12)


def test_equal_distributions_have_the_density_one_and_the_coverage_that_chance_gives() -> None:
    found = [distances(vectors(80, 4, seed=seed), vectors(80, 4, seed=seed + 500)) for seed in range(60)]
    missed = math.prod((79 - k) / (159 - k) for k in range(5))
    assert sum(map(density, found)) / 60 == pytest.approx(1, abs=0.03)
    assert sum(map(coverage, found)) / 60 == pytest.approx(1 - missed, abs=0.01)


def test_the_kernel_distance_of_equal_distributions_is_zero_in_the_mean_however_small_the_sets() -> None:
    values = [kid(similarities(vectors(12, seed=seed), vectors(9, seed=seed + 500))) for seed in range(400)]
    mean, error = sum(values) / 400, float(torch.tensor(values).std()) / 20
    assert abs(mean) < 3 * error


def test_the_frechet_distance_of_two_shifted_sets_is_the_square_of_the_shift() -> None:
    x = vectors(100)
    assert frechet(x, x + 2) == pytest.approx(8 * 4)
    assert frechet(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet(x, 3 * x) == pytest.approx(float(4 * (x.mean(0).square().sum() + x.var(dim=0).sum())))


def test_a_frechet_distance_is_refused_below_ten_pictures_a_dimension() -> None:
    scores = distribution_scores(vectors(79), vectors(400, seed=1), torch.arange(400), NETWORK, seed=0, draws=5)
    absent = scores[f"frechet[{NETWORK}]"]
    assert isinstance(absent, Absent)
    assert absent.reason == "features of 8 dimensions need 80 pictures on either side and there are 79"
    enough = distribution_scores(vectors(80), vectors(80, seed=1), torch.arange(80), NETWORK, seed=0, draws=5)
    assert isinstance(enough[f"frechet[{NETWORK}]"], Interval)


def test_windows_of_one_painting_are_one_picture_to_a_frechet_distance() -> None:
    windows = torch.arange(400) // 5
    scores = distribution_scores(vectors(400), vectors(400, seed=1), windows, NETWORK, seed=0, draws=5)
    assert isinstance(scores[f"frechet[{NETWORK}]"], Interval)
    fewer = distribution_scores(vectors(400), vectors(400, seed=1), windows // 2, NETWORK, seed=0, draws=5)
    absent = fewer[f"frechet[{NETWORK}]"]
    assert isinstance(absent, Absent)
    assert absent.reason == "features of 8 dimensions need 80 pictures on either side and there are 40"


def test_only_the_published_inception_gives_a_fid() -> None:
    sets = vectors(80), vectors(80, seed=1), torch.arange(80)
    statistics = ["kid", "precision", "recall", "density", "coverage"]
    published = distribution_scores(*sets, PUBLISHED, seed=0, draws=5)
    assert list(published) == ["fid", *statistics]
    own = distribution_scores(*sets, NETWORK, seed=0, draws=5)
    assert list(own) == [f"{name}[{NETWORK}]" for name in ("frechet", *statistics)]
    assert list(own.values()) == list(published.values())


def test_too_few_pictures_give_no_statistic_but_a_reason() -> None:
    scores = distribution_scores(vectors(8), vectors(90, seed=1), torch.arange(90), NETWORK, seed=0, draws=5)
    assert {type(score) for score in scores.values()} == {Absent}
    assert "4" in str(scores[f"kid[{NETWORK}]"])


def test_intervals_hold_the_kernel_distance_of_the_whole_distributions() -> None:
    """For normal x and y around a and b, x . y has the mean m = a . b and the raw moments m2 and m3 below."""

    def expected(a: float, b: float) -> float:
        m, aa, bb = 8 * a * b, 8 * a * a, 8 * b * b
        m2, m3 = m**2 + aa + bb + 8, m**3 + 3 * m * (aa + bb + 8 + 2)
        return 1 + 3 * m / 8 + 3 * m2 / 8**2 + m3 / 8**3

    population = expected(0, 0) + expected(0.5, 0.5) - 2 * expected(0, 0.5)
    found = [
        distribution_scores(
            vectors(60, seed=seed),
            vectors(60, shift=0.5, seed=seed + 500),
            torch.arange(60),
            PUBLISHED,
            seed=0,
            draws=40,
        )["kid"]
        for seed in range(25)
    ]
    assert sum(interval[1] <= population <= interval[2] for interval in found if isinstance(interval, Interval)) >= 21


def test_the_same_sets_give_the_same_scores() -> None:
    sets = vectors(80), vectors(80, seed=1), torch.arange(40).repeat(2)
    assert distribution_scores(*sets, NETWORK, seed=3, draws=20) == distribution_scores(
        *sets, NETWORK, seed=3, draws=20
    )


def test_the_interval_of_a_share_stays_between_none_and_all() -> None:
    x = vectors(60, 3)
    scores = distribution_scores(x, x + 0.01, torch.arange(60), PUBLISHED, seed=0, draws=20)
    for name in ("precision", "recall", "coverage"):
        value, low, high = scores[name]
        assert 0 <= low <= value == high == 1
