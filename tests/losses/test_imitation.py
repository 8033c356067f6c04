import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganstyle.losses.imitation import relative_error


def activations(seed: int, count: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, 4, 5, generator=generator, dtype=torch.float64)


@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100))
def test_it_does_not_depend_on_the_scale_that_both_have(seed: int, scale: float) -> None:
    found, wanted = activations(seed), activations(seed + 1)
    one = relative_error({"a": found}, {"a": wanted}, {"a": 1.0})
    other = relative_error({"a": scale * found}, {"a": scale * wanted}, {"a": 1.0})
    torch.testing.assert_close(one, other)


def test_a_copy_is_at_zero_and_silence_at_one_in_every_layer() -> None:
    wanted = {"a": activations(0), "b": 7 * activations(1)}
    weights = {"a": 0.5, "b": 2.0}
    assert relative_error(wanted, wanted, weights) == 0
    silent = {name: torch.zeros_like(value) for name, value in wanted.items()}
    assert relative_error(silent, wanted, weights) == pytest.approx(2.5)


def test_every_image_is_measured_by_itself() -> None:
    found, wanted = activations(3), activations(4)
    wanted[0] *= 100
    naive = [
        sum((f - w) ** 2 for f, w in zip(own.flatten().tolist(), other.flatten().tolist(), strict=True))
        / sum(w**2 for w in other.flatten().tolist())
        for own, other in zip(found, wanted, strict=True)
    ]
    assert relative_error({"a": found}, {"a": wanted}, {"a": 1.0}) == pytest.approx(sum(naive) / 2)


def test_a_black_target_gives_a_finite_number_and_targets_get_no_gradient() -> None:
    found, wanted = activations(5).requires_grad_(), torch.zeros(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    loss = relative_error({"a": found}, {"a": wanted}, {"a": 1.0})
    loss.backward()
    assert loss.isfinite()
    assert wanted.grad is None
