from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganstyle.data.order import drawn, shuffled


@given(st.integers(1, 80), st.integers(0, 5))
def test_an_epoch_shows_every_picture_once(size: int, seed: int) -> None:
    assert sorted(shuffled(place, size, seed) for place in range(size)) == list(range(size))


@given(st.integers(1, 50), st.integers(0, 5), st.integers(0, 10))
def test_the_endless_run_is_made_of_epochs(size: int, seed: int, epoch: int) -> None:
    numbers = range(epoch * size, (epoch + 1) * size)
    assert sorted(drawn(number, size, seed) for number in numbers) == list(range(size))


def test_epochs_and_seeds_differ() -> None:
    orders = {tuple(drawn(n, 20, seed) for n in range(k * 20, k * 20 + 20)) for seed in (0, 1) for k in range(10)}
    assert len(orders) == 20


def test_all_orders_of_four_come_up_about_equally_often() -> None:
    counts = Counter(tuple(shuffled(place, 4, seed) for place in range(4)) for seed in range(1200))
    assert set(counts) == set(permutations(range(4)))
    # chi-square with 23 degrees of freedom exceeds 49.7 with probability 0.001
    assert sum((count - 50) ** 2 / 50 for count in counts.values()) < 49.7


@pytest.mark.parametrize("size", [1_000, 1_024, 1_803_460])
def test_positions_and_places_are_uncorrelated(size: int) -> None:
    sample = range(0, size, max(1, size // 1000))
    mean = (size - 1) / 2
    products = [(place - mean) * (shuffled(place, size, 3) - mean) for place in sample]
    variance = (size * size - 1) / 12
    assert abs(sum(products) / len(products)) / variance < 4 / len(products) ** 0.5


@pytest.mark.parametrize("position", [-1, 5])
def test_a_position_outside_is_refused(position: int) -> None:
    with pytest.raises(ValueError, match=r"range\(5\)"):
        shuffled(position, 5, 0)
