import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance
from torch import Tensor

from ganstyle.metrics import marginals
from ganstyle.metrics.marginals import (
    color_axes,
    color_distance,
    color_functions,
    patch_distance,
    patch_functions,
)

seeds = st.integers(0, 10**6)


def pictures(seed: int, count: int = 3, spread: float = 0.3, side: int = 48) -> Tensor:
    draws = torch.Generator().manual_seed(seed)
    return (spread * torch.randn(count, 3, side, side, generator=draws)).clamp(-1, 1)


def test_no_axis_of_color_is_another_or_its_opposite() -> None:
    axes = color_axes()
    torch.testing.assert_close(axes.norm(dim=1), torch.ones(13))
    assert ((axes @ axes.T).fill_diagonal_(0).abs() < 0.99).all()


@settings(max_examples=4)
@given(seed=seeds, spread=st.floats(0.1, 0.6), shift=st.floats(-0.3, 0.3))
def test_the_color_distance_is_scipys_along_each_axis(seed: int, spread: float, shift: float) -> None:
    one, other = pictures(seed, side=16), (pictures(seed + 1, 5, spread, 16) + shift).clamp(-1, 1)
    sides = [color_axes().double() @ images.movedim(1, 0).flatten(1).double() for images in (one, other)]
    expected = sum(wasserstein_distance(a, b) for a, b in zip(*sides, strict=True)) / 13
    assert color_distance(color_functions(one), color_functions(other)) == pytest.approx(expected, abs=0.004)


@settings(max_examples=4)
@given(seed=seeds, spread=st.floats(0.05, 0.6))
def test_the_patch_distance_is_scipys_along_each_axis(seed: int, spread: float) -> None:
    one, other = pictures(seed), pictures(seed + 1, 4, spread)
    distances = []
    for octave in range(marginals.OCTAVES):
        filters = marginals._filters(octave, 0).flatten(1)
        sides = [
            filters
            @ torch.nn.functional.avg_pool2d(images, 2**octave)
            .unfold(2, marginals.SIDE, marginals.STRIDE)
            .unfold(3, marginals.SIDE, marginals.STRIDE)
            .movedim(1, 3)
            .reshape(-1, 75)
            .T
            for images in (one, other)
        ]
        distances += [wasserstein_distance(a, b) for a, b in zip(*sides, strict=True)]
    expected = sum(distances) / len(distances)
    assert patch_distance(patch_functions(one, 0), patch_functions(other, 0)) == pytest.approx(
        expected, rel=0.05, abs=0.003
    )


@settings(max_examples=10)
@given(seed=seeds)
def test_the_color_of_a_whole_picture_is_no_business_of_patches(seed: int) -> None:
    images = 0.5 * pictures(seed, spread=0.2)
    tinted = images + torch.tensor([0.2, -0.1, 0.3]).reshape(1, 3, 1, 1)
    distance = patch_distance(patch_functions(images, 0), patch_functions(tinted, 0))
    assert distance < 1e-3


@settings(max_examples=10)
@given(seed=seeds)
def test_colors_do_not_tell_where_they_stand(seed: int) -> None:
    images = pictures(seed)
    moved = images.flatten(2)[..., torch.randperm(48 * 48)].reshape(images.shape)
    assert torch.equal(color_functions(images), color_functions(moved))


@settings(max_examples=10)
@given(seed=seeds)
def test_patches_do_not_tell_in_which_picture_they_stand(seed: int) -> None:
    images = pictures(seed, 6)
    halves = patch_functions(images[:3], 0), patch_functions(images[3:], 0)
    together = patch_functions(images, 0)
    swapped = torch.cat([halves[1], halves[0]])
    assert patch_distance(together, swapped) == pytest.approx(0.0, abs=1e-12)


def test_black_against_white_is_the_mean_length_of_the_cubes_diagonal_along_the_axes() -> None:
    black, white = -torch.ones(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    expected = float(2 * color_axes().sum(1).abs().mean())
    assert color_distance(color_functions(black), color_functions(white)) == pytest.approx(expected, abs=0.06)
