import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from ganstyle.losses.penalties import gradient_penalty, r1, squared_slopes
from ganstyle.types import Judgement

SEEDS = torch.tensor([5, 6])


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Linear(nn.Module):
    """One logit, so the slope is the norm of the weights, everywhere."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, image: Tensor) -> tuple[Judgement, ...]:
        logits = (image * self.weight).sum((1, 2, 3))
        return (Judgement(logits.view(-1, 1, 1, 1), ()),)


def patches(image: Tensor) -> tuple[Judgement, ...]:
    """Judge every 2 x 2 patch by the sum of squares of its pixels: slope 2 x, without overlap."""
    logits = nn.functional.avg_pool2d(image.square().sum(1, keepdim=True), 2) * 4
    return (Judgement(logits, ()),)


@given(seed=st.integers(0, 1000))
def test_r1_of_a_linear_critic_is_half_its_squared_weights(seed: int) -> None:
    critic = Linear(noise(seed, 3, 4, 4))
    expected = critic.weight.square().sum().item() / 2
    assert r1(noise(seed + 1, 2, 3, 4, 4), critic).item() == pytest.approx(expected)


@given(seed=st.integers(0, 1000))
def test_the_gradient_penalty_of_a_linear_critic_wants_slope_one(seed: int) -> None:
    critic = Linear(noise(seed, 3, 4, 4))
    slope = critic.weight.norm().item()
    real, fake = noise(seed + 1, 2, 3, 4, 4), noise(seed + 2, 2, 3, 4, 4)
    assert gradient_penalty(real, fake, SEEDS, critic).item() == pytest.approx((slope - 1) ** 2)


@given(seed=st.integers(0, 1000))
def test_r1_agrees_with_finite_differences(seed: int) -> None:
    image, step = noise(seed, 1, 3, 2, 2), 1e-5

    def logit(pixels: Tensor) -> float:
        return float(torch.sin(pixels).prod(1).sum())

    def critic(pixels: Tensor) -> tuple[Judgement, ...]:
        return (Judgement(torch.sin(pixels).prod(1).sum((1, 2)).view(-1, 1, 1, 1), ()),)

    total = 0.0
    for place in range(image.numel()):
        nudge = torch.zeros_like(image).view(-1)
        nudge[place] = step
        total += ((logit(image + nudge.view_as(image)) - logit(image - nudge.view_as(image))) / (2 * step)) ** 2
    assert r1(image, critic).item() == pytest.approx(total / 2, rel=1e-6)


@given(seed=st.integers(0, 1000))
def test_patches_that_do_not_overlap_average_their_own_penalties(seed: int) -> None:
    image = noise(seed, 2, 3, 4, 4)
    whole = r1(image, patches)
    parts = [r1(image[:, :, y : y + 2, x : x + 2], patches) for y in (0, 2) for x in (0, 2)]
    torch.testing.assert_close(whole, torch.stack(parts).mean())


def test_the_penalty_of_a_tiled_image_holds_its_size() -> None:
    image = noise(0, 1, 3, 4, 4)
    torch.testing.assert_close(r1(image.repeat(1, 1, 2, 3), patches), r1(image, patches))


def test_an_example_by_hand() -> None:
    # logit = sum of x^2 over 12 numbers, all 0.5: slope 2 x = 1 in 12 directions, so R1 is 12 / 2
    image = torch.full((1, 3, 2, 2), 0.5, dtype=torch.float64)
    assert r1(image, patches).item() == 6
    # real = fake, so the point between is the same: (sqrt(12) - 1)^2
    penalty = gradient_penalty(image, image, SEEDS[:1], patches)
    assert penalty.item() == pytest.approx((12**0.5 - 1) ** 2)


def test_scales_are_told_apart() -> None:
    image = noise(1, 2, 3, 4, 4)
    slopes = squared_slopes(image, lambda pixels: (*patches(pixels), *patches(3 * pixels)))
    assert slopes.shape == (2, 2)
    torch.testing.assert_close(slopes[1], 81 * slopes[0])


def test_the_point_between_is_drawn_from_each_image_s_seed() -> None:
    real, fake = noise(2, 2, 3, 4, 4), noise(3, 2, 3, 4, 4)
    whole = gradient_penalty(real, fake, SEEDS, patches)
    halves = [gradient_penalty(real[n : n + 1], fake[n : n + 1], SEEDS[n : n + 1], patches) for n in (0, 1)]
    torch.testing.assert_close(whole, (halves[0] + halves[1]) / 2)
    assert gradient_penalty(real, fake, SEEDS + 2, patches) != whole


def test_penalties_move_the_critic_and_nothing_else() -> None:
    critic = Linear(noise(4, 3, 4, 4))
    real, fake = (noise(seed, 2, 3, 4, 4).requires_grad_() for seed in (5, 6))
    (r1(real, critic) + gradient_penalty(real, fake, SEEDS, critic)).backward()
    assert critic.weight.grad is not None
    assert critic.weight.grad.any()
    assert real.grad is None
    assert fake.grad is None


def test_a_flat_critic_has_a_finite_penalty_and_gradient() -> None:
    critic = Linear(torch.zeros(3, 4, 4))
    penalty = gradient_penalty(torch.ones(2, 3, 4, 4), torch.zeros(2, 3, 4, 4), SEEDS, critic)
    penalty.backward()
    assert penalty.item() == pytest.approx(1, abs=1e-5)
    assert critic.weight.grad is not None
    assert critic.weight.grad.isfinite().all()
