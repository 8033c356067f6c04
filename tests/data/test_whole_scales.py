"""Windows of whole multiples of the crop, each as often as so many fit into a picture."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from data.pictures import fill

from ganstyle.data.transforms import Augmentation
from ganstyle.data.unpaired import unpaired


def drawn(picture: tuple[int, int], scales: tuple[float, float], count: int = 2000) -> Counter[int]:
    augmentation = Augmentation(16, scales=scales, whole_scales=True)
    pixels = np.zeros((*picture, 3), dtype=np.uint8)
    return Counter(augmentation._window(seed, pixels).side for seed in range(count))


def test_twice_the_scale_comes_a_quarter_as_often() -> None:
    found = drawn((80, 100), (1.0, 4.0))
    assert sorted(found) == [16, 32, 48, 64]
    whole = sum(1 / scale**2 for scale in range(1, 5))
    for side, count in found.items():
        assert count / 2000 == pytest.approx((16 / side) ** 2 / whole, abs=0.04)


@pytest.mark.parametrize(
    ("picture", "scales", "sides"),
    [
        ((40, 100), (1.0, 4.0), {16, 32}),
        ((16, 100), (1.0, 4.0), {16}),
        ((100, 100), (1.0, 1.0), {16}),
        ((100, 100), (1.5, 2.5), {32}),
        ((100, 100), (1.2, 1.8), {16}),
    ],
)
def test_only_whole_windows_that_fit_are_drawn(
    picture: tuple[int, int], scales: tuple[float, float], sides: set[int]
) -> None:
    assert set(drawn(picture, scales, 300)) == sides


def test_windows_at_scale_one_are_the_pictures_own_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    window = Augmentation(16, scales=(1.0, 4.0), whole_scales=True, flip=False)(3, pixels)
    rows = np.lib.stride_tricks.sliding_window_view(pixels, (16, 16, 3))[:, :, 0]
    assert (rows == window).all((2, 3, 4)).any()


def test_the_data_configuration_takes_them(tmp_path: Path) -> None:
    for side in ("trainA", "trainB"):
        fill(tmp_path / side, 2, 0, 40, 40)
    plain, whole = (
        unpaired(
            str(tmp_path), source_resize=None, target_resize=None, crop=8, target_scales=(1, 4), whole_scales=chosen
        )
        for chosen in (False, True)
    )
    assert any((plain.train[n]["target"] != whole.train[n]["target"]).any() for n in range(8))
