import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ganstyle.color import FLAT, transport
from ganstyle.metrics.recolor import baseline_rows, color_moments, mkl


def pictures(seed: int, count: int = 4, side: int = 12, spread: float = 0.1) -> Tensor:
    """Correlated colors in the middle of the range, so that little is clipped."""
    draws = torch.Generator().manual_seed(seed)
    axes = torch.linalg.qr(torch.randn(3, 3, generator=draws)).Q
    mixing = axes * (0.5 + torch.rand(3, generator=draws))
    colors = torch.einsum("oi,bihw->bohw", mixing, torch.randn(count, 3, side, side, generator=draws))
    return (spread * colors + 0.1 * torch.randn(1, 3, 1, 1, generator=draws)).clamp(-1, 1)


def pooled(images: Tensor) -> tuple[Tensor, Tensor]:
    pixels = images.double().permute(1, 0, 2, 3).reshape(3, -1)
    return pixels.mean(1), torch.cov(pixels, correction=0)


@given(seed=st.integers(0, 10**6))
def test_moments_are_those_of_all_pixels_pooled(seed: int) -> None:
    images = pictures(seed)
    for ours, theirs in zip(color_moments(images), pooled(images), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_at_full_strength_the_set_has_the_color_moments_of_the_collection(seed: int) -> None:
    recolored = mkl(pictures(seed), pictures(seed + 1, 3, 8, 0.05))
    assert recolored.abs().max() < 1, "nothing may be clipped here"
    for ours, theirs in zip(pooled(recolored), pooled(pictures(seed + 1, 3, 8, 0.05)), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


@given(seed=st.integers(0, 10**6))
def test_the_map_is_symmetric_and_never_turns_a_color_around(seed: int) -> None:
    source, target = (color_moments(pictures(seed + n)).covariance for n in (0, 1))
    matrix = transport(source, target)
    torch.testing.assert_close(matrix, matrix.T, rtol=1e-8, atol=1e-10)
    assert torch.linalg.eigvalsh(matrix).min() > 0
    torch.testing.assert_close(matrix @ source @ matrix, target, rtol=1e-7, atol=1e-10)


def test_equal_covariances_need_no_map() -> None:
    covariance = color_moments(pictures(0)).covariance
    torch.testing.assert_close(transport(covariance, covariance), torch.eye(3, dtype=torch.float64))


def test_one_axis_is_stretched_by_the_ratio_of_deviations() -> None:
    source = torch.diag(torch.tensor([0.04, 0.01, 0.09], dtype=torch.float64))
    target = torch.diag(torch.tensor([0.01, 0.01, 0.36], dtype=torch.float64))
    expected = torch.diag(torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64))
    torch.testing.assert_close(transport(source, target), expected)


@given(seed=st.integers(0, 10**6))
def test_strength_0_changes_nothing_and_a_half_is_the_middle(seed: int) -> None:
    source, crops = pictures(seed), pictures(seed + 1, spread=0.05)
    torch.testing.assert_close(mkl(source, crops, 0.0), source, rtol=1e-6, atol=1e-6)
    middle = (source + mkl(source, crops)) / 2
    torch.testing.assert_close(mkl(source, crops, 0.5), middle, rtol=1e-5, atol=1e-6)


def test_a_gray_photograph_stays_on_one_line_of_colors_and_takes_the_mean() -> None:
    gray = pictures(0)[:, :1].expand(-1, 3, -1, -1)
    recolored, crops = mkl(gray, pictures(1)), pictures(1)
    mean, covariance = pooled(recolored)
    torch.testing.assert_close(mean, pooled(crops)[0], rtol=1e-4, atol=1e-5)
    values = torch.linalg.eigvalsh(covariance)
    assert values[:2].max() < FLAT < values[2]


def test_a_picture_of_one_color_takes_the_mean_color() -> None:
    recolored = mkl(torch.full((1, 3, 4, 4), 0.3), pictures(1))
    expected = pooled(pictures(1))[0].float().reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
    torch.testing.assert_close(recolored, expected, rtol=1e-5, atol=1e-6)


def test_every_photograph_is_recolored_by_itself() -> None:
    source, crops = pictures(0), pictures(1)
    together, alone = mkl(source, crops), torch.cat([mkl(one[None], crops) for one in source])
    assert torch.equal(together, alone)


def test_values_stay_in_range() -> None:
    assert mkl(pictures(0, spread=0.1), torch.rand(2, 3, 8, 8).round() * 2 - 1).abs().max() <= 1


def test_the_rows_are_the_photographs_their_recoloring_copies_and_the_middle() -> None:
    sources, crops = pictures(0, 5), pictures(1, 3)
    rows = baseline_rows(sources, crops, seed=0)
    assert list(rows) == ["identity", "mkl", "style-copy", "half-blend"]
    assert torch.equal(rows["identity"], sources)
    assert torch.equal(rows["half-blend"], (sources + rows["mkl"]) / 2)
    for copied in rows["style-copy"]:
        assert any(torch.equal(copied, crop) for crop in crops)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_rows_follow_from_the_seed(seed: int) -> None:
    sources, crops = pictures(0, 20), pictures(1, 7)
    one, other = (baseline_rows(sources, crops, seed)["style-copy"] for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one, baseline_rows(sources, crops, seed + 1)["style-copy"])
