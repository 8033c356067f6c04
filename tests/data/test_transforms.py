import os
import subprocess
import sys

import numpy as np
import pytest
from data.pictures import drawing
from hypothesis import given, settings
from hypothesis import strategies as st

from ganstyle.data.transforms import Augmentation, framed
from ganstyle.errors import ConfigError

INDEX = np.stack(np.broadcast_arrays(np.arange(40)[:, None], np.arange(48)[None, :], 0), -1).astype(np.uint8)
"""A picture whose pixels say where they were."""


@settings(max_examples=20)
@given(st.integers(0, 2**62))
def test_the_same_seed_gives_the_same_window(seed: int) -> None:
    augmentation, other = Augmentation(16), Augmentation(16)
    other(seed + 1, INDEX)
    assert (augmentation(seed, INDEX) == other(seed, INDEX)).all()


def test_windows_lie_everywhere_and_half_are_mirrored() -> None:
    windows = [Augmentation(16)(seed, INDEX).astype(int) for seed in range(300)]
    mirrored = [window[0, 0, 1] > window[0, -1, 1] for window in windows]
    assert 0.4 < np.mean(mirrored) < 0.6
    assert {window[0, 0, 0] for window in windows} == set(range(25))
    assert {window[..., 1].min() for window in windows} == set(range(33))


def test_what_is_mirrored_has_nothing_to_do_with_where_the_window_lies() -> None:
    windows = [Augmentation(16)(seed, INDEX).astype(int) for seed in range(400)]
    mirrored = np.array([window[0, 0, 1] > window[0, -1, 1] for window in windows])
    for axis in (0, 1):
        places = np.array([window[..., axis].min() for window in windows])
        assert abs(np.corrcoef(mirrored, places)[0, 1]) < 0.2  # four standard deviations


def test_further_augmentations_draw_independently() -> None:
    both = {"ToGray": {"p": 0.5}, "InvertImg": {"p": 0.5}}
    augmentation, seen = Augmentation(8, flip=False, extra=both), set()
    for seed in range(40):
        pixels = augmentation(seed, np.full((8, 8, 3), (10, 20, 30), np.uint8))[0, 0]
        seen.add((bool(pixels[0] == pixels[2]), bool(pixels[0] > 100)))
    assert len(seen) == 4


def test_without_flip_nothing_is_mirrored() -> None:
    assert all((np.diff(Augmentation(8, flip=False)(s, INDEX)[0, :, 1].astype(int)) == 1).all() for s in range(20))


@settings(max_examples=20)
@given(st.integers(0, 2**62))
def test_both_pictures_of_a_pair_move_alike(seed: int) -> None:
    source, target = Augmentation(16, scales=(1.0, 2.0)).both(seed, INDEX, 255 - INDEX)
    assert np.abs(source - (255 - target.astype(int))).max() <= 1


def test_scales_reach_from_one_crop_to_the_whole_picture() -> None:
    picture = drawing(0, 64, 64)
    picture = np.stack(np.broadcast_arrays(np.arange(0, 256, 4)[:, None], np.arange(0, 256, 4)[None, :], 0), -1)
    augmentation = Augmentation(16, scales=(1.0, 9.0), flip=False)
    spans = [int(np.ptp(augmentation(seed, picture.astype(np.uint8))[:, 0, 0].astype(int))) for seed in range(200)]
    assert 60 <= min(spans) <= 66  # 16 rows of 4 levels
    assert max(spans) >= 225  # 64 rows, averaged by fours
    assert np.mean(np.array(spans) < 145) == pytest.approx(0.5, abs=0.12)


def test_albumentations_are_added_by_name() -> None:
    augmentation = Augmentation(16, extra={"ToGray": {"p": 1.0}})
    grey = augmentation(0, drawing(0))
    assert (grey[..., 0] == grey[..., 1]).all()


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"ColorJiter": {}}, "unknown albumentation 'ColorJiter'; did you mean 'ColorJitter'"),
        ({"ColorJitter": {"hu": 0.1}}, r"data\.augment\.ColorJitter cannot be built from {'hu': 0.1}"),
        ({"HorizontalFlip": {"p": 7.0}}, r"data\.augment\.HorizontalFlip cannot be built"),
        ({"Compose": {}}, "unknown albumentation 'Compose'"),
    ],
)
def test_a_misspelt_albumentation_is_an_error(extra: dict[str, dict[str, float]], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Augmentation(16, extra=extra)


def test_impossible_windows_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"data\.crop"):
        Augmentation(0)
    for scales in ((0.5, 1.0), (3.0, 2.0)):
        with pytest.raises(ConfigError, match="1 <= low <= high"):
            Augmentation(16, scales=scales)


def test_a_picture_is_framed_in_the_middle() -> None:
    assert (framed(INDEX, 40) == INDEX[:, 4:44]).all()
    assert framed(INDEX, 10).shape == framed(INDEX, 77)[:10, :10].shape == (10, 10, 3)


@pytest.mark.slow
def test_albumentations_does_not_call_home() -> None:
    code = "import ganstyle.data.transforms, os; print(os.environ['NO_ALBUMENTATIONS_UPDATE'])"
    env = {name: value for name, value in os.environ.items() if name != "NO_ALBUMENTATIONS_UPDATE"}
    assert subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout == b"1\n"


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        (
            {"Normalize": {}},
            r"data\.augment\.Normalize gives float32 of shape \(16, 16, 3\), but pictures must stay RGB",
        ),
        ({"ToGray": {"num_output_channels": 1, "p": 0.1}}, r"ToGray gives uint8 of shape \(16, 16\)"),
        ({"RandomCrop": {"height": 20, "width": 20}}, r"RandomCrop cannot be applied to 16 x 16 pixels: "),
    ],
)
def test_what_does_not_leave_a_picture_is_refused_before_it_is_trained_on(
    extra: dict[str, dict[str, float]], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Augmentation(16, extra=extra)
