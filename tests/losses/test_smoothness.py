import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganstyle.losses.smoothness import fine_color, total_variation

SEED = st.integers(0, 1000)


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


@given(gray=st.floats(-1, 1))
def test_a_constant_image_has_no_variation(gray: float) -> None:
    assert total_variation(torch.full((2, 3, 4, 5), gray)) == 0


@given(seed=SEED, scale=st.floats(0, 10), shift=st.floats(-1, 1))
def test_variation_scales_with_contrast_and_ignores_brightness(seed: int, scale: float, shift: float) -> None:
    image = noise(seed, 2, 3, 4, 5)
    torch.testing.assert_close(total_variation(scale * image + shift), scale * total_variation(image))


@given(seed=SEED)
def test_mirrored_turned_and_negative_images_vary_as_much(seed: int) -> None:
    image = noise(seed, 2, 3, 4, 5)
    for other in (image.flip(3), image.flip(2), image.mT, -image):
        torch.testing.assert_close(total_variation(other), total_variation(image))


@given(seed=SEED)
def test_variation_agrees_with_a_loop(seed: int) -> None:
    image = noise(seed, 1, 3, 3, 4)[0].tolist()
    down = [abs(c[y + 1][x] - c[y][x]) for c in image for y in range(2) for x in range(4)]
    right = [abs(c[y][x + 1] - c[y][x]) for c in image for y in range(3) for x in range(3)]
    expected = sum(down) / len(down) + sum(right) / len(right)
    assert total_variation(torch.tensor([image])).item() == pytest.approx(expected, rel=1e-5)


def test_a_checkerboard_varies_most() -> None:
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(1, 3, 2, 2)
    assert total_variation(board) == 4


def test_an_edge_by_hand() -> None:
    # one vertical edge of height 2 between 4 columns: 2 in one of three pairs, nothing downwards
    image = torch.tensor([-1.0, -1.0, 1.0, 1.0]).expand(1, 3, 4, 4)
    assert total_variation(image).item() == pytest.approx(2 / 3)


@given(seed=SEED, gray=st.floats(-1, 1))
def test_color_in_blocks_of_sixteen_and_gray_at_any_scale_are_not_fine(seed: int, gray: float) -> None:
    blocks = noise(seed, 2, 3, 3, 4).repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    light = noise(seed + 1, 2, 1, 12, 16)
    assert fine_color(blocks + gray * light).item() == pytest.approx(0, abs=1e-12)


def test_a_red_pixel_among_gray_ones_by_hand() -> None:
    # red 1, others 0: its color is (2, -1, -1) / 3, of mean size 4/9. A block of n pixels keeps 1/n of it as its mean:
    # one pixel is (n - 1)/n away from it, the n - 1 others 1/n; in 16 pixels 2 * 3/4 for n = 4 and 2 * 15/16 for n = 16
    image = torch.zeros(1, 3, 5, 5)
    image[0, 0, 0, 0] = 1.0
    assert fine_color(image).item() == pytest.approx((2 * 3 / 4 + 2 * 15 / 16) / 16 / 2 * 4 / 9)
