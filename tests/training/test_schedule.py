import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganstyle.errors import ConfigError
from ganstyle.training.average import decay
from ganstyle.training.schedule import check_decay, constant_then_linear


def test_cyclegans_schedule_is_constant_for_100_epochs_and_linear_to_zero_over_100() -> None:
    epoch, total = 1000, 200_000
    assert constant_then_linear(0, total, 0.5) == constant_then_linear(100 * epoch, total, 0.5) == 1.0
    assert constant_then_linear(150 * epoch, total, 0.5) == 0.5
    assert constant_then_linear(175 * epoch, total, 0.5) == 0.25
    assert constant_then_linear(200 * epoch, total, 0.5) == 0.0


@given(total=st.integers(1, 10**7), share=st.floats(0, 1), places=st.lists(st.floats(0, 1), min_size=2, max_size=5))
def test_the_learning_rate_never_rises_and_stays_between_zero_and_one(
    total: int, share: float, places: list[float]
) -> None:
    factors = [constant_then_linear(int(place * total), total, share) for place in sorted(places)]
    assert factors == sorted(factors, reverse=True)
    assert all(0.0 <= factor <= 1.0 for factor in factors)


@given(total=st.integers(2, 10**6), scale=st.integers(1, 50))
def test_the_schedule_depends_on_the_share_of_images_seen_alone(total: int, scale: int) -> None:
    assert constant_then_linear(total // 2, total, 0.25) == pytest.approx(
        constant_then_linear(scale * (total // 2), scale * total, 0.25)
    )


def test_a_decay_that_begins_outside_the_run_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"from 0 to 1, but got 1\.5"):
        check_decay(1.5)


def test_after_one_half_life_half_of_the_average_survives() -> None:
    assert decay(1000, 10**9, 1000.0) == 0.5
    assert decay(250, 10**9, 1000.0) ** 4 == pytest.approx(0.5)


def test_an_average_of_nothing_takes_the_first_weights_whole() -> None:
    assert decay(4, 0, 1000.0) == 0.0
    assert decay(4, 100, 1000.0) == 0.5 ** (4 / 5)  # ramped up: the half-life is 5 % of the images seen
