import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio

from ganstyle.metrics.known_answer import best_affine_color, mean_color, measure_gain, psnr


def pictures(seed: int, count: int = 3, side: int = 5) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def naive_psnr(image: Tensor, truth: Tensor) -> float:
    errors = [(float(a) - float(b)) ** 2 for a, b in zip(image.flatten(), truth.flatten(), strict=True)]
    return 10 * math.log10(4 / (sum(errors) / len(errors)))


def test_an_error_of_a_tenth_of_the_range_is_20_db() -> None:
    truth = torch.zeros(2, 3, 4, 4)
    image = truth + torch.tensor([0.2, 0.02]).reshape(2, 1, 1, 1)
    torch.testing.assert_close(psnr(image, truth), torch.tensor([20.0, 40.0], dtype=torch.float64), rtol=1e-6, atol=0)


def test_black_for_white_is_0_db_and_equal_pictures_have_no_end() -> None:
    white, black = torch.ones(1, 3, 2, 2), -torch.ones(1, 3, 2, 2)
    assert psnr(black, white).item() == 0.0
    assert psnr(white, white).item() == math.inf


@given(seed=st.integers(0, 10**6))
def test_it_agrees_with_a_naive_loop(seed: int) -> None:
    image, truth = pictures(seed), pictures(seed + 1)
    for scored, one, other in zip(psnr(image, truth), image, truth, strict=True):
        assert float(scored) == pytest.approx(naive_psnr(one, other), rel=1e-9)


@given(seed=st.integers(0, 10**6))
def test_it_is_that_of_torchmetrics(seed: int) -> None:
    image, truth = pictures(seed).double(), pictures(seed + 1).double()
    theirs = peak_signal_noise_ratio(image, truth, data_range=2.0, reduction="none", dim=(1, 2, 3))
    torch.testing.assert_close(psnr(image, truth), theirs, rtol=1e-6, atol=1e-6)


@given(seed=st.integers(0, 10**6), error=st.floats(0.01, 1.0), larger=st.floats(1.1, 3.0))
def test_it_is_symmetric_and_falls_with_the_error(seed: int, error: float, larger: float) -> None:
    truth, noise = pictures(seed), pictures(seed + 1)
    near, far = truth + error * noise, truth + larger * error * noise
    torch.testing.assert_close(psnr(near, truth), psnr(truth, near), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(
        psnr(near, truth) - psnr(far, truth),
        torch.full((3,), 20 * math.log10(larger), dtype=torch.float64),
        rtol=1e-3,
        atol=1e-3,
    )


def test_the_mean_color_is_one_color_for_the_whole_set_and_the_best_one() -> None:
    truth = pictures(0)
    mean = mean_color(truth)
    assert mean.shape == truth.shape
    for channel in range(3):
        assert mean[:, channel].unique().numel() == 1
        assert float(mean[0, channel, 0, 0]) == pytest.approx(float(truth[:, channel].mean()), abs=1e-6)
    for seed in range(20):
        other = mean + 0.1 * (pictures(seed, 1, 1))
        assert (mean - truth).square().mean() <= (other - truth).square().mean()


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), shift=st.floats(1e-3, 0.5))
def test_no_affine_map_comes_nearer_than_the_best_one(seed: int, shift: float) -> None:
    source, truth = pictures(seed), 0.2 * pictures(seed + 1)
    draws = torch.Generator().manual_seed(seed + 2)
    best = best_affine_color(source, truth)
    matrix, offset = fitted(source, best)
    other = matrix + shift * torch.randn(3, 3, generator=draws, dtype=torch.float64)
    moved = offset + shift * torch.randn(3, generator=draws, dtype=torch.float64)
    rival = torch.einsum("oi,bihw->bohw", other, source.double()) + moved.reshape(1, 3, 1, 1)
    assert (best.double() - truth).square().mean() <= (rival - truth).square().mean() + 1e-9


def fitted(source: Tensor, recolored: Tensor) -> tuple[Tensor, Tensor]:
    """The affine map that was used, from its inputs and outputs."""
    inputs = source.permute(0, 2, 3, 1).reshape(-1, 3).double()
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1, dtype=torch.float64)], dim=1)
    solution = torch.linalg.lstsq(inputs, recolored.permute(0, 2, 3, 1).reshape(-1, 3).double()).solution
    return solution[:3].T, solution[3]


def test_an_affine_recoloring_is_found_whole() -> None:
    source = 0.5 * pictures(0)
    swap = source[:, [2, 0, 1]] * 0.5 + 0.1
    torch.testing.assert_close(best_affine_color(source, swap), swap, atol=1e-6, rtol=1e-5)


def test_a_set_of_one_color_has_a_best_map_too() -> None:
    source, truth = torch.full((2, 3, 4, 4), 0.3), torch.full((2, 3, 4, 4), -0.7)
    torch.testing.assert_close(best_affine_color(source, truth), truth, atol=1e-5, rtol=1e-4)


def test_the_gain_is_over_the_best_of_the_answers_that_need_no_model() -> None:
    truth = torch.zeros(1, 3, 4, 4)
    truth[..., :2] = 0.4
    source, result = truth + 0.2, truth + 0.02
    gain = measure_gain(source, result, truth)
    assert gain.model == pytest.approx(40.0, abs=1e-4)
    assert gain.baselines["identity"] == pytest.approx(20.0, abs=1e-4)
    assert gain.baselines["mean_color"] == pytest.approx(20.0, abs=1e-4)  # 0.2 away from both halves
    assert gain.baselines["affine_color"] > 100
    assert gain.gain == pytest.approx(gain.model - gain.baselines["affine_color"])
