from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

import ganstyle
from ganstyle import artifact, images
from ganstyle.artifact import Artifact
from ganstyle.errors import ImageError, ShapeError
from ganstyle.nn.light import Light
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet
from ganstyle.stylize import stylize


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("models") / "light"
    artifact.save(Light(blocks=1, channels=8), folder)
    return artifact.load(folder)


def pixels(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


NETWORKS = {
    "light": lambda: Light(blocks=1, channels=8),
    "resnet": lambda: ResNet(blocks=1, channels=4),
    "unet": lambda: UNet(depth=4, channels=4, norm="instance", dropout=0.0),
}


@pytest.fixture(scope="module")
def painters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    folder = tmp_path_factory.mktemp("networks")
    for name, make in NETWORKS.items():
        artifact.save(make(), folder / name)
    return {name: artifact.load(folder / name) for name in NETWORKS}


@settings(max_examples=40)
@given(name=st.sampled_from(sorted(NETWORKS)), height=st.integers(1, 70), width=st.integers(1, 70))
def test_any_size_comes_back_in_that_size(painters: dict[str, Artifact], name: str, height: int, width: int) -> None:
    styled = stylize(painters[name], pixels(height, width))
    assert styled.shape == (height, width, 3)
    assert styled.dtype == np.uint8


def test_a_picture_smaller_than_the_pad_is_reflected_repeatedly(tmp_path: Path) -> None:
    artifact.save(UNet(depth=5, channels=4, norm="instance", dropout=0.0), tmp_path / "unet")
    assert stylize(artifact.load(tmp_path / "unet"), pixels(3, 5)).shape == (3, 5, 3)


def test_a_picture_that_fits_is_the_networks_own_output(light: Artifact) -> None:
    image = torch.rand(1, 3, 32, 64) * 2 - 1
    assert torch.equal(stylize(light, image), light.network(image))


def test_a_picture_does_not_depend_on_its_company(tmp_path: Path) -> None:
    artifact.save(ResNet(blocks=1, channels=4, norm="batch"), tmp_path / "batch_norm")
    batch = torch.rand(2, 3, 32, 32) * 2 - 1
    model = artifact.load(tmp_path / "batch_norm")
    assert torch.equal(stylize(model, batch)[1], stylize(model, batch[1]))


def test_every_kind_of_picture_gives_the_same_result(light: Artifact) -> None:
    photo = pixels(37, 53)
    as_pillow = stylize(light, Pillow.fromarray(photo))
    as_tensor = stylize(light, images.to_tensor(photo))
    expected = stylize(light, photo)
    assert isinstance(as_pillow, Pillow.Image)
    np.testing.assert_array_equal(np.array(as_pillow), expected)
    np.testing.assert_array_equal(images.to_uint8(as_tensor), expected)


def test_a_batch_of_any_kind_comes_back_as_one(light: Artifact) -> None:
    photos = [pixels(20, 31), pixels(20, 31)[::-1], pixels(12, 9)]
    expected = [stylize(light, photo) for photo in photos]
    np.testing.assert_array_equal(stylize(light, np.stack(photos[:2])), np.stack(expected[:2]))
    tensors = stylize(light, [images.to_tensor(photo) for photo in photos])
    pillows = stylize(light, [Pillow.fromarray(photo) for photo in photos])
    for found in (stylize(light, photos), map(images.to_uint8, tensors), map(np.asarray, pillows)):
        for one, wanted in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, wanted)


def test_a_grey_or_transparent_picture_is_read_as_rgb(light: Artifact) -> None:
    for mode in ("L", "RGBA", "P", "CMYK", "I;16"):
        assert stylize(light, Pillow.new(mode, (33, 20))).size == (33, 20)


def test_a_tensor_keeps_its_type_and_can_be_learned_from(light: Artifact) -> None:
    styled = stylize(light, torch.zeros(3, 20, 20, dtype=torch.float64))
    assert styled.dtype == torch.float64
    (styled * torch.ones((), dtype=torch.float64, requires_grad=True)).sum().backward()


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 4), (8, 8, 1), (1, 8, 8, 4), (0, 8, 8, 3), (0, 8, 3)])
def test_an_array_of_another_shape_is_refused(light: Artifact, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="height x width x 3"):
        stylize(light, np.zeros(shape, np.uint8))


def test_values_outside_the_range_are_refused(light: Artifact) -> None:
    with pytest.raises(ImageError, match="from 0 to 255"):
        stylize(light, torch.tensor([0.0, 255.0]).repeat(3, 8, 4))
    with pytest.raises(ImageError, match="arrays of bytes"):
        stylize(light, np.zeros((8, 8, 3), np.float32))
    with pytest.raises(ImageError, match="float tensors"):
        stylize(light, torch.full((3, 8, 8), torch.nan))


def test_a_tensor_of_another_shape_is_refused(light: Artifact) -> None:
    with pytest.raises(ShapeError, match="3 x height x width"):
        stylize(light, torch.zeros(8, 8, 3))


def test_one_line_restyles_a_picture(tmp_path: Path) -> None:
    artifact.save(Light(blocks=1, channels=8), tmp_path / "model", styles=("vangogh",))
    stylizer = ganstyle.load(tmp_path / "model")
    assert stylizer.card.styles == ("vangogh",)
    assert stylizer.stylize(pixels(20, 30)).shape == (20, 30, 3)
