import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganstyle.training.callbacks.allowance import Allowance


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def fail(self, after: float) -> None:
        """Let time pass, and go wrong."""
        self.now += after
        raise KeyError


def spend(allowance: Allowance, clock: Clock, seconds: float) -> None:
    with allowance.spending():
        clock.now += seconds


def test_nothing_is_permitted_before_there_was_time_to_earn_it() -> None:
    clock = Clock()
    assert not Allowance(0.1, clock).permits(1.0, 0.5)


def test_a_share_of_one_permits_everything() -> None:
    assert Allowance(1.0, Clock()).permits(1e9, 0.01)


def test_a_share_of_nothing_permits_nothing() -> None:
    clock = Clock()
    allowance = Allowance(0.0, clock)
    clock.now += 1e6
    assert not allowance.permits(0.001, 0.5)


def test_ten_seconds_are_permitted_once_ninety_have_passed() -> None:
    clock = Clock()
    allowance = Allowance(0.1, clock)
    clock.now += 89.0
    assert not allowance.permits(10.0, 0.1)
    clock.now += 2.0
    assert allowance.permits(10.0, 0.1)


def test_what_the_end_will_cost_is_put_aside() -> None:
    clock = Clock()
    allowance = Allowance(0.1, clock)
    clock.now += 100.0
    assert allowance.permits(10.0, 0.5)
    assert not allowance.permits(10.0, 0.9)


def test_time_spent_is_a_share_of_all_time() -> None:
    clock = Clock()
    allowance = Allowance(0.5, clock)
    clock.now += 30.0
    spend(allowance, clock, 10.0)
    assert allowance.spent == pytest.approx(0.25)


def test_time_spent_before_the_beginning_counts_as_part_of_the_run() -> None:
    clock = Clock()
    allowance = Allowance(0.5, clock)
    clock.now += 1000.0
    spend(allowance, clock, 10.0)
    allowance.begin()
    clock.now += 30.0
    assert allowance.spent == pytest.approx(0.25)


def test_time_counts_as_spent_when_the_spending_fails() -> None:
    clock = Clock()
    allowance = Allowance(0.5, clock)
    with pytest.raises(KeyError), allowance.spending():
        clock.fail(after=3.0)
    assert allowance.seconds == pytest.approx(3.0)


@given(st.floats(0.02, 0.5), st.floats(0.01, 5.0), st.floats(0.05, 5.0), st.integers(20, 400))
def test_a_run_keeps_its_share_with_the_evaluation_at_its_end_whenever_it_made_another(
    share: float, step: float, price: float, steps: int
) -> None:
    clock = Clock()
    allowance = Allowance(share, clock)
    made = 0
    for number in range(1, steps + 1):
        clock.now += step
        if number < steps and allowance.permits(price, number / steps):
            spend(allowance, clock, price)
            made += 1
            assert allowance.spent <= share + 1e-9
    spend(allowance, clock, price)
    assert made == 0 or allowance.spent <= share + 1e-9
