from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics.image import StructuralSimilarityIndexMeasure

from ganstyle.data.toy import landscapes
from ganstyle.errors import DataError
from ganstyle.images import read
from ganstyle.metrics.paired import NEAR, l1, label_accuracy, label_colors, ssim
from ganstyle.metrics.sets import as_images, stacked

A, B = slice(0, 256), slice(256, 512)
COLORS = torch.tensor([[1.0, 1.0, 1.0], [0.7, 0.8, 1.0], [0.8, 0.9, 0.7], [1.0, 0.6, 0.1]])


def noise(seed: int, shape: tuple[int, ...]) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def labels(seed: int, count: int = 3, side: int = 24) -> Tensor:
    """Label maps of the four colors, in blocks."""
    draws = torch.Generator().manual_seed(seed)
    blocks = torch.randint(len(COLORS), (count, side // 4, side // 4), generator=draws)
    return COLORS[blocks.repeat_interleave(4, 1).repeat_interleave(4, 2)].movedim(-1, 1).contiguous()


def test_l1_is_the_mean_of_absolute_differences_of_each_picture() -> None:
    target = torch.zeros(2, 3, 4, 4)
    result = target.clone()
    result[0] += 0.5
    result[1, :, :2] -= 0.2
    torch.testing.assert_close(l1(result, target), torch.tensor([0.5, 0.1], dtype=torch.float64), rtol=1e-6, atol=0)


@settings(max_examples=5)
@given(seed=st.integers(0, 10**6), error=st.floats(0.0, 0.5))
def test_ssim_averages_to_that_of_torchmetrics(seed: int, error: float) -> None:
    target = noise(seed, (3, 3, 24, 32)).clamp(-1, 1)
    result = (target + error * noise(seed + 1, target.shape)).clamp(-1, 1)
    expected = StructuralSimilarityIndexMeasure(data_range=2.0)(result, target)
    assert float(ssim(result, target).mean()) == pytest.approx(float(expected), abs=1e-5)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_the_labels_of_label_like_targets_are_found_in_spite_of_small_noise(seed: int) -> None:
    targets = labels(seed)
    found = label_colors((targets + 0.02 * noise(seed, targets.shape)).clamp(-1, 1))
    assert found is not None
    assert len(found) == len(targets.movedim(1, -1).reshape(-1, 3).unique(dim=0))
    assert ((found[:, None] - COLORS).abs().amax(2).amin(1) < NEAR).all()


def test_pictures_are_no_labels() -> None:
    assert label_colors(torch.rand(2, 3, 32, 32) * 2 - 1) is None
    assert label_colors(as_images(stacked(list(landscapes("test", 8, 64)[0])))) is None


def test_maps_have_labels_and_aerial_photographs_have_none(shared_data: Path | None) -> None:
    if shared_data is None:
        pytest.skip("needs the folder of real pictures")
    pairs = [read(path) for path in sorted((shared_data / "maps" / "val").iterdir())[:8]]
    photographs, maps = (as_images(stacked([pair[:, side] for pair in pairs])) for side in (A, B))
    labels = label_colors(maps)
    assert label_colors(photographs) is None
    assert labels is not None
    assert label_accuracy(maps, maps, labels).mean() == 1
    assert 0.3 < label_accuracy(maps.roll(1, 0), maps, labels).mean() < 0.8


def test_accuracy_is_the_share_of_pixels_with_the_right_label() -> None:
    target = labels(0, 2)
    result = target.clone()
    result[0, :, :12] = -target[0, :, :12]  # white becomes black: nearest to another label
    colors = COLORS
    right = (nearest(result, colors) == nearest(target, colors)).double().mean((1, 2))
    torch.testing.assert_close(label_accuracy(result, target, colors), right)
    assert label_accuracy(target, target, colors).tolist() == [1.0, 1.0]


def nearest(image: Tensor, colors: Tensor) -> Tensor:
    return torch.cdist(image.movedim(1, -1).reshape(-1, 3), colors).argmin(1).reshape(len(image), *image.shape[2:])


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_an_error_smaller_than_half_the_way_to_another_label_costs_nothing(seed: int) -> None:
    target = labels(seed)
    error = 0.05 * torch.sign(noise(seed, target.shape))  # the nearest labels are 0.3 apart
    assert label_accuracy(target + error, target, COLORS).min() == 1


def test_there_have_to_be_labels() -> None:
    with pytest.raises(DataError, match="there is none"):
        label_accuracy(labels(0), labels(0), torch.zeros(0, 3))
