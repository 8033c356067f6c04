import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap
from torch import Tensor

from ganstyle.metrics.absent import Absent
from ganstyle.metrics.intervals import (
    Interval,
    bootstrap_difference,
    bootstrap_mean,
    half_samples,
    mean_of_two,
    proportion,
    resample_set,
)

seeds = st.integers(0, 2**63 - 1)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mean_gap(first: Tensor, second: Tensor) -> float:
    return float((first.mean(dim=0) - second.mean(dim=0)).sum())


def test_the_interval_of_a_mean_holds_the_true_one_about_95_times_in_100() -> None:
    found = [bootstrap_mean(3 + normal(60, seed=seed), seed) for seed in range(300)]
    assert 0.91 <= np.mean([interval.low <= 3 <= interval.high for interval in found]) <= 0.98


def test_the_interval_of_a_difference_is_that_of_pairs_not_of_two_sets() -> None:
    photograph, noise = 5 * normal(80), 0.1 * normal(80, seed=1)
    paired = bootstrap_difference(photograph + noise + 0.2, photograph, seed=0)
    assert paired.low > 0
    assert paired.high - paired.low < 0.1


def test_the_interval_between_two_sets_holds_the_true_distance_about_95_times_in_100() -> None:
    each = torch.arange(40)
    found = [
        resample_set(mean_gap, 1 + normal(40, 1, seed=seed), normal(40, 1, seed=seed + 1000), each, seed, draws=60)
        for seed in range(80)
    ]
    assert np.mean([interval.low <= 1 <= interval.high for interval in found]) >= 0.875


def test_many_crops_of_few_paintings_widen_the_interval_as_few_paintings_do() -> None:
    paintings, results = normal(10, 1), normal(200, 1, seed=1)
    crops = paintings.repeat_interleave(50, dim=0) + 0.01 * normal(500, 1, seed=2)
    few = resample_set(mean_gap, results, crops, torch.arange(10).repeat_interleave(50), seed=0)
    taken_for_many = resample_set(mean_gap, results, crops, torch.arange(500), seed=0)
    expected = 2 * 1.96 * math.hypot(paintings.std() / math.sqrt(10), results.std() / math.sqrt(200))
    assert few.high - few.low == pytest.approx(expected, rel=0.25)
    assert few.high - few.low > 2 * (taken_for_many.high - taken_for_many.low)


@given(count=st.integers(2, 40), crops=st.integers(1, 5), seed=seeds)
@settings(max_examples=20)
def test_a_half_sample_holds_all_crops_of_a_painting_or_none(count: int, crops: int, seed: int) -> None:
    painting = torch.arange(count).repeat(crops)
    for own, other in half_samples(7, painting, seed, draws=5):
        assert len(own.unique()) == len(own) == 4
        taken = painting[other].bincount(minlength=count)
        assert set(taken.tolist()) <= {0, crops}
        assert int((taken > 0).sum()) == -(-count // 2)


@given(seed=seeds, shift=st.floats(-100, 100))
@settings(max_examples=20)
def test_intervals_move_with_their_values(seed: int, shift: float) -> None:
    values = normal(30)
    plain, moved = bootstrap_mean(values, seed), bootstrap_mean(values + shift, seed)
    assert moved == pytest.approx([bound + shift for bound in plain], abs=1e-9)


@given(seed=seeds)
@settings(max_examples=10)
def test_equal_values_leave_no_doubt(seed: int) -> None:
    low, value, high = sorted(bootstrap_mean(torch.full((20,), 0.25), seed))
    assert low == value == high == 0.25


def test_the_same_seed_gives_the_same_interval_and_another_one_a_similar() -> None:
    values = normal(50)
    assert bootstrap_mean(values, 7) == bootstrap_mean(values, 7)
    assert bootstrap_mean(values, 7) != bootstrap_mean(values, 8)
    assert bootstrap_mean(values, 7) == pytest.approx(bootstrap_mean(values, 8), abs=0.05)
    sets = values[:, None], normal(40, 1, seed=1), torch.arange(40)
    assert resample_set(mean_gap, *sets, seed=7) == resample_set(mean_gap, *sets, seed=7)


def test_the_interval_of_a_mean_is_that_of_scipys_own_best_bootstrap() -> None:
    values = normal(200)
    best = bootstrap(
        (values.numpy(),), np.mean, method="BCa", random_state=np.random.default_rng(1)
    ).confidence_interval
    assert bootstrap_mean(values, 0)[1:] == pytest.approx((best.low, best.high), abs=0.02)


def test_a_higher_level_gives_a_wider_interval() -> None:
    values = normal(50)
    wide, narrow = bootstrap_mean(values, 0, level=0.99), bootstrap_mean(values, 0, level=0.5)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_an_infinite_mean_is_its_own_interval() -> None:
    assert bootstrap_mean(torch.tensor([1.0, math.inf]), 0) == (math.inf, math.inf, math.inf)
    assert all(map(math.isnan, bootstrap_mean(torch.tensor([1.0, math.nan]), 0)))


def test_one_picture_alone_says_nothing_of_its_spread() -> None:
    assert bootstrap_mean(torch.tensor([0.5]), 0) == (0.5, -math.inf, math.inf)


@given(hits=st.integers(0, 50), more=st.integers(0, 50), level=st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_of_a_share_is_scipys_wilson_interval(hits: int, more: int, level: float) -> None:
    count = max(1, hits + more)
    wanted = binomtest(hits, count).proportion_ci(level, method="wilson")
    assert proportion(hits / count, count, level)[1:] == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_the_mean_of_two_normal_numbers_has_the_interval_of_their_mean() -> None:
    assert mean_of_two(Interval(1.0, 0.4, 1.6), Interval(2.0, 1.2, 2.8)) == pytest.approx((1.5, 1.0, 2.0))


def test_what_is_absent_says_why_in_one_sentence() -> None:
    absent = Absent("fid", "there are 200 pictures and it needs 20480")
    assert str(absent) == "fid is left out, because there are 200 pictures and it needs 20480."
