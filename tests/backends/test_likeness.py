import numpy as np
import pytest

from ganstyle.backends.likeness import EXACT, Bound, bound_in, drawn, psnr

PICTURE = drawn(32, 27, 0)


@pytest.mark.parametrize(
    ("bound", "off", "holds"),
    [
        (Bound(largest=1e-4), 5e-5, True),
        (Bound(largest=1e-4), 2e-4, False),
        (Bound(psnr=40.0), 0.0199, True),  # 0.02 is a hundredth of the range
        (Bound(psnr=40.0), 0.0201, False),
        (Bound(), 1.9, True),
    ],
)
def test_a_bound_holds_up_to_its_difference_and_down_to_its_psnr(bound: Bound, off: float, holds: bool) -> None:
    assert bound.holds(np.full_like(PICTURE, off), np.zeros_like(PICTURE)) == holds
    assert bound_in({"bound": bound.plain()}) == bound


@pytest.mark.parametrize("bound", [Bound(), Bound(psnr=40.0)])
def test_no_bound_holds_for_what_is_no_number(bound: Bound) -> None:
    assert not bound.holds(np.full_like(PICTURE, np.nan), PICTURE)


def test_equal_pictures_are_exact() -> None:
    assert psnr(PICTURE, PICTURE) == EXACT
