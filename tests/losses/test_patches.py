import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganstyle.draws import generator_of
from ganstyle.errors import ShapeError
from ganstyle.losses.patches import patch_sliced_wasserstein

SEED = st.integers(0, 1000)
SEEDS = torch.tensor([7, 8])


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


@given(seed=SEED)
def test_it_is_a_distance(seed: int) -> None:
    a, b, c = (noise(seed + n, 2, 3, 20, 20) for n in range(3))
    assert patch_sliced_wasserstein(a, a, SEEDS) == 0
    assert patch_sliced_wasserstein(a, b, SEEDS) == patch_sliced_wasserstein(b, a, SEEDS) > 0
    direct = patch_sliced_wasserstein(a, c, SEEDS)
    assert direct <= patch_sliced_wasserstein(a, b, SEEDS) + patch_sliced_wasserstein(b, c, SEEDS) + 1e-12


@given(seed=SEED)
def test_pixels_in_another_order_are_the_same_patches_of_side_one(seed: int) -> None:
    image = noise(seed, 2, 3, 6, 6)
    order = torch.randperm(36, generator=torch.Generator().manual_seed(seed))
    shuffled = image.flatten(2)[:, :, order].view_as(image)
    assert patch_sliced_wasserstein(image, shuffled, SEEDS, side=1, scales=1) == 0
    assert patch_sliced_wasserstein(image, shuffled, SEEDS, side=3, scales=1) > 0


@given(seed=SEED, scale=st.floats(0.1, 5))
def test_it_scales_with_contrast(seed: int, scale: float) -> None:
    a, b = noise(seed, 2, 3, 20, 20), noise(seed + 1, 2, 3, 20, 20)
    torch.testing.assert_close(
        patch_sliced_wasserstein(scale * a, scale * b, SEEDS), scale * patch_sliced_wasserstein(a, b, SEEDS)
    )


@given(seed=SEED)
def test_it_agrees_with_a_loop_over_patches(seed: int) -> None:
    a, b = noise(seed, 1, 3, 5, 6), noise(seed + 1, 1, 3, 5, 6)
    axes = torch.randn(4, 3, 2, 2, generator=generator_of("patches", 7, 0)).double()
    total = 0.0
    for axis in axes:
        unit = axis / axis.norm()
        columns = [
            sorted(float((whole[0, :, y : y + 2, x : x + 2] * unit).sum()) for y in range(4) for x in range(5))
            for whole in (a, b)
        ]
        total += sum(abs(p - q) for p, q in zip(*columns, strict=True)) / 20
    loss = patch_sliced_wasserstein(a, b, SEEDS[:1], side=2, directions=4, scales=1)
    assert loss.item() == pytest.approx(total / 4, rel=1e-5)


@given(seed=SEED)
def test_halves_of_a_batch_average_to_the_whole(seed: int) -> None:
    a, b = noise(seed, 2, 3, 20, 20), noise(seed + 1, 2, 3, 20, 20)
    halves = [patch_sliced_wasserstein(a[n : n + 1], b[n : n + 1], SEEDS[n : n + 1]) for n in (0, 1)]
    torch.testing.assert_close(patch_sliced_wasserstein(a, b, SEEDS), (halves[0] + halves[1]) / 2)


def test_two_gray_images_by_hand() -> None:
    # one direction w, one pixel patches: every projection is gray * sum(w), so the distance is 1.5 |sum(w)|
    axis = torch.randn(1, 3, 1, 1, generator=generator_of("patches", 7, 0))
    expected = 1.5 * float((axis / axis.norm()).sum().abs())
    gray, light = torch.full((1, 3, 4, 4), -0.5), torch.full((1, 3, 4, 4), 1.0)
    loss = patch_sliced_wasserstein(gray, light, SEEDS[:1], side=1, directions=1, scales=1)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_stripes_are_told_from_their_blur_at_the_fine_scale_only() -> None:
    stripes = torch.tensor([1.0, -1.0]).repeat(8).expand(1, 3, 16, 16)
    gray = torch.zeros(1, 3, 16, 16)
    fine = patch_sliced_wasserstein(stripes, gray, SEEDS[:1], scales=1)
    both = patch_sliced_wasserstein(stripes, gray, SEEDS[:1], scales=2)
    torch.testing.assert_close(both, fine / 2)


def test_an_image_without_a_patch_at_the_last_scale_is_refused() -> None:
    with pytest.raises(ShapeError, match="need images of at least 20 x 20 pixels, but got 16 x 32; use larger crops"):
        patch_sliced_wasserstein(torch.zeros(1, 3, 16, 32), torch.zeros(1, 3, 16, 32), SEEDS[:1])
