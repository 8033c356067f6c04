"""What the controls promise, on small pictures and an untrained network."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pillow

from ganstyle import artifact, images
from ganstyle.color import ColorSums
from ganstyle.errors import ImageError, ShapeError
from ganstyle.nn.light import Light
from ganstyle.nn.unet import UNet
from ganstyle.stylize import Stylizer, load
from ganstyle.stylize.budget import plan
from ganstyle.stylize.controls import ControlError, Controls
from ganstyle.stylize.masks import feathered, mask_of
from ganstyle.stylize.memory import BudgetError, memory_of


@pytest.fixture(scope="module")
def painter(tmp_path_factory: pytest.TempPathFactory) -> Stylizer:
    folder = tmp_path_factory.mktemp("models") / "light"
    artifact.save(Light(blocks=1, channels=8), folder)
    return load(folder)


def photo(height: int = 37, width: int = 53, depth: type = np.uint8) -> NDArray[Any]:
    top = np.iinfo(depth).max
    return np.random.default_rng(0).integers(0, top, (height, width, 3), dtype=depth, endpoint=True)


def change(painter: Stylizer, pixels: NDArray[Any], **controls: Any) -> float:
    return float(np.abs(painter.stylize(pixels, **controls).astype(float) - pixels).mean())


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_strength_0_gives_back_the_very_pixels(painter: Stylizer, depth: type) -> None:
    np.testing.assert_array_equal(painter.stylize(photo(depth=depth), strength=0.0), photo(depth=depth))


@settings(max_examples=15)
@given(
    strengths=st.lists(st.floats(0, 1.5), min_size=2, max_size=2), color=st.sampled_from(["off", "luminance", "mkl"])
)
def test_the_mean_change_never_falls_as_strength_grows(painter: Stylizer, strengths: list[float], color: str) -> None:
    weak, strong = sorted(strengths)
    weaker = change(painter, photo(16, 20), strength=weak, keep_color=color)
    assert weaker <= change(painter, photo(16, 20), strength=strong, keep_color=color)


def test_half_strength_is_the_middle(painter: Stylizer) -> None:
    image = images.to_tensor(photo())
    expected = (image + painter.stylize(image)) / 2
    torch.testing.assert_close(painter.stylize(image, strength=0.5), expected, atol=1e-6, rtol=0)


def test_luminance_leaves_the_differences_of_color(painter: Stylizer) -> None:
    grey = torch.rand(1, 33, 40, dtype=torch.float32).expand(3, -1, -1) * 0.2
    painted = painter.stylize(grey, keep_color="luminance")
    torch.testing.assert_close(painted[0], painted[2], atol=1e-5, rtol=0)
    assert (painted - grey).abs().max() > 0.01


def test_mkl_keeps_the_mean_color_and_the_covariance(painter: Stylizer) -> None:
    image = images.to_tensor(photo()) * 0.3
    painted = ColorSums.of(painter.stylize(image, keep_color="mkl")).moments
    own = ColorSums.of(image).moments
    torch.testing.assert_close(painted.mean, own.mean, atol=1e-3, rtol=0)
    torch.testing.assert_close(painted.covariance, own.covariance, atol=2e-3, rtol=0)


@pytest.mark.parametrize("feather", [0.0, 6.0])
@pytest.mark.parametrize("kind", ["truths", "bytes", "pillow"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_outside_the_mask_nothing_changes(painter: Stylizer, feather: float, kind: str, depth: type) -> None:
    inside = np.zeros((37, 53), bool)
    inside[10:30, 5:40] = True
    mask = {"truths": inside, "bytes": inside * np.uint8(255), "pillow": Pillow.fromarray(inside * np.uint8(255))}[kind]
    whole = photo(depth=depth)
    painted = painter.stylize(whole, mask=mask, feather=feather)
    np.testing.assert_array_equal(painted[~inside], whole[~inside])
    middle = np.s_[19:21, 20:25]
    assert np.abs(painted[middle].astype(int) - painter.stylize(whole)[middle]).max() <= (depth == np.uint16)


def test_a_feather_rises_inwards_from_the_edge() -> None:
    mask = np.zeros((1, 12), np.float32)
    mask[:, 3:] = 1
    rise = feathered(mask, 4.0)[0]
    assert not rise[:3].any()
    assert (np.diff(rise) >= 0).all()
    assert rise[4] == pytest.approx(0.5)
    assert (rise[6:] == 1).all()


def test_a_mask_means_the_same_however_it_is_given() -> None:
    numbers = np.linspace(0, 1, 12 * 10, dtype=np.float32).reshape(12, 10)
    words = np.rint(numbers * 65535).astype(np.uint16)
    kinds = [words, Pillow.fromarray(words), Pillow.fromarray(numbers), torch.from_numpy(numbers)]
    for mask in kinds:
        np.testing.assert_allclose(mask_of(mask, 12, 10), numbers, atol=1e-5)
    octets = np.rint(numbers * 255).astype(np.uint8)
    white = np.full_like(octets, 255)
    veiled = Pillow.fromarray(np.dstack([white, white, white, octets]))  # white, as far as it is opaque
    for mask in (octets, Pillow.fromarray(octets), Pillow.fromarray(octets.astype(np.int32)), veiled):
        np.testing.assert_allclose(mask_of(mask, 12, 10), numbers, atol=3e-3)


@pytest.mark.parametrize("value", [np.int64(1), np.float32(np.nan), np.float64(60), np.float32(-0.5)])
def test_a_mask_whose_white_nobody_knows_is_refused(value: Any) -> None:
    with pytest.raises(ImageError, match=rf"the mask is of {value.dtype}; give truths, numbers from 0 to 1, uint8"):
        mask_of(np.full((4, 4), value), 4, 4)


def test_the_transparency_of_a_pillow_picture_stays(painter: Stylizer) -> None:
    veil = np.arange(37 * 53, dtype=np.uint32).reshape(37, 53).astype(np.uint8)
    painted = painter.stylize(Pillow.fromarray(np.dstack([photo(), veil])))
    assert painted.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(painted)[..., 3], veil)
    np.testing.assert_array_equal(np.asarray(painted)[..., :3], painter.stylize(photo()))


def test_a_mask_of_another_size_is_refused(painter: Stylizer) -> None:
    with pytest.raises(ShapeError, match="the mask is 5 x 5, but the photograph is 37 x 53"):
        painter.stylize(photo(), mask=np.zeros((5, 5)))


def test_a_larger_brush_paints_a_smaller_picture(painter: Stylizer) -> None:
    flat = np.kron(photo(16, 20), np.ones((2, 2, 1), np.uint8))
    small = images.resize(painter.stylize(photo(16, 20)), 32, 40).astype(int)
    assert np.abs(painter.stylize(flat, size=2.0).astype(int) - small).max() <= 1
    assert painter.stylize(photo(), size=3.3).shape == (37, 53, 3)
    assert painter.stylize(images.to_tensor(photo())[None], size=0.5).shape == (1, 3, 37, 53)


def test_16_bits_stay_16_bits(painter: Stylizer) -> None:
    deep = photo(depth=np.uint16)
    painted = painter.stylize(deep)
    assert painted.dtype == np.uint16
    shallow = painter.stylize((deep // 257).astype(np.uint8)).astype(int)
    assert np.abs(painted / 257 - shallow).mean() < 2


def test_the_seed_is_that_of_the_networks_noise(tmp_path: Path) -> None:
    artifact.save(UNet(depth=6, channels=4, norm="instance"), tmp_path / "unet")
    painter = load(tmp_path / "unet")
    one, again, other = (painter.stylize(photo(64, 64), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


@pytest.mark.parametrize("norm", ["instance", "none"])
@pytest.mark.parametrize("color", ["off", "luminance", "mkl"])
def test_little_memory_changes_nothing(color: str, norm: str, tmp_path: Path) -> None:
    artifact.save(Light(blocks=1, channels=8, norm=norm), tmp_path / "light")
    whole, frugal = load(tmp_path / "light"), load(tmp_path / "light", max_memory="2MB")
    assert plan(whole.artifact.network, 200, 300, memory=2_000_000).in_strips
    pixels = photo(200, 300)
    one, other = (each.stylize(pixels, keep_color=color).astype(int) for each in (whole, frugal))
    assert np.abs(one - other).max() <= 1
    image = images.to_tensor(pixels)
    once, in_strips = (each.stylize(image, keep_color=color) for each in (whole, frugal))
    torch.testing.assert_close(in_strips, once, atol=1e-4, rtol=0)


def test_too_little_memory_says_how_much_is_needed(painter: Stylizer) -> None:
    with pytest.raises(BudgetError, match=r"300 x 200 pixels take at least [\d.]+ MB"):
        Stylizer(painter.artifact, max_memory=10_000).stylize(photo(200, 300))


@pytest.mark.parametrize(
    ("text", "size"), [("400MB", 400_000_000), ("1.5 GB", 1_500_000_000), ("2e6", 2_000_000), ("64k", 64_000)]
)
def test_an_amount_of_memory_is_understood(text: str, size: int) -> None:
    assert memory_of(text) == size


@pytest.mark.parametrize("text", ["", "much", "-3GB", "0MB", "3 parsecs", "1.2.3MB"])
def test_another_amount_is_refused(text: str) -> None:
    with pytest.raises(BudgetError, match="400MB or 2GB"):
        memory_of(text)


@pytest.mark.parametrize(
    ("controls", "told"),
    [
        ({"strength": 1.6}, "strength is 1.6, but it is a number from 0 to 1.5"),
        ({"strength": float("nan")}, "strength is nan"),
        ({"size": 0.0}, "from 0.25 to 8"),
        ({"keep_color": "luminence"}, "did you mean 'luminance'?"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_control_that_does_not_fit_is_told(controls: dict[str, Any], told: str) -> None:
    with pytest.raises(ControlError) as failure:
        Controls(**controls)
    assert told in str(failure.value)
