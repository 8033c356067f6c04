import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganstyle.losses.reconstruction import l1

SEED = st.integers(0, 1000)


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


@given(seed=SEED)
def test_l1_is_a_distance(seed: int) -> None:
    a, b, c = (noise(seed + n, 2, 3, 4, 5) for n in range(3))
    assert l1(a, a) == 0
    assert l1(a, b) == l1(b, a)
    assert 0 < l1(a, b) <= 2
    assert l1(a, c) <= l1(a, b) + l1(b, c) + 1e-12


@given(seed=SEED, scale=st.floats(0, 10), shift=st.floats(-1, 1))
def test_l1_scales_with_its_images_and_ignores_a_common_shift(seed: int, scale: float, shift: float) -> None:
    a, b = noise(seed, 2, 3, 4, 5), noise(seed + 1, 2, 3, 4, 5)
    torch.testing.assert_close(l1(scale * a + shift, scale * b + shift), scale * l1(a, b))


@given(seed=SEED)
def test_l1_agrees_with_a_loop(seed: int) -> None:
    a, b = noise(seed, 2, 3, 2, 3), noise(seed + 1, 2, 3, 2, 3)
    differences = [abs(x - y) for x, y in zip(a.flatten().tolist(), b.flatten().tolist(), strict=True)]
    assert l1(a, b).item() == pytest.approx(sum(differences) / len(differences))


@given(seed=SEED)
def test_halves_of_a_batch_average_to_the_whole(seed: int) -> None:
    a, b = noise(seed, 4, 3, 4, 5), noise(seed + 1, 4, 3, 4, 5)
    torch.testing.assert_close(l1(a, b), (l1(a[:2], b[:2]) + l1(a[2:], b[2:])) / 2)


def test_black_is_two_away_from_white_and_one_from_gray() -> None:
    black = -torch.ones(1, 3, 2, 2)
    assert l1(black, -black) == 2
    assert l1(black, torch.zeros(1, 3, 2, 2)) == 1
