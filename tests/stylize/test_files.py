"""What a file holds is what comes back, and a recipe makes the same bytes again."""

import os
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

from ganstyle import artifact
from ganstyle.errors import ImageError
from ganstyle.nn.light import Light
from ganstyle.stylize.batch import BatchError, jobs
from ganstyle.stylize.controls import Controls
from ganstyle.stylize.encode import encoded, publish
from ganstyle.stylize.files import Studio
from ganstyle.stylize.photograph import Photograph, decoded
from ganstyle.stylize.recipe import RecipeError, read_recipe

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> artifact.Artifact:
    folder = tmp_path_factory.mktemp("models") / "light"
    artifact.save(Light(blocks=1, channels=8), folder)
    return artifact.load(folder)


def layers(depth: type, channels: int) -> NDArray[Any]:
    shape = (20, 30, channels) if channels > 1 else (20, 30)
    return np.random.default_rng(channels).integers(0, np.iinfo(depth).max, shape, dtype=depth, endpoint=True)


def studio(model: artifact.Artifact, **controls: Any) -> Studio:
    return Studio(model, "models/light", Controls(**controls), 10**9)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("alpha", [False, True])
def test_depth_transparency_and_profile_come_back(kind: str, depth: type, alpha: bool) -> None:
    photo = Photograph(layers(depth, 3), layers(depth, 1) if alpha else None, SRGB)
    again = decoded(encoded(photo, kind), "photo")
    np.testing.assert_array_equal(again.pixels, photo.pixels)
    np.testing.assert_array_equal(again.alpha, photo.alpha)
    assert again.profile == SRGB


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_strength_0_and_the_authors_name_survive(model: artifact.Artifact, kind: str) -> None:
    exif = Pillow.Exif()
    exif[0x013B] = "Vincent"
    photo = Photograph(layers(np.uint8, 3), None, SRGB, exif.tobytes())
    content = studio(model, strength=0.0).restyle(photo, kind)
    with Pillow.open(BytesIO(content)) as picture:
        assert picture.size == (30, 20)
        assert picture.getexif()[0x013B] == "Vincent"
        assert picture.info["icc_profile"] == SRGB
    if kind == "PNG":
        np.testing.assert_array_equal(decoded(content, "out").pixels, photo.pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("depth", [8, 16])
def test_a_picture_that_lies_on_its_side_is_put_upright(orientation: int, depth: int) -> None:
    kind = np.uint8 if depth == 8 else np.uint16
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    content = encoded(Photograph(layers(kind, 3), exif=exif.tobytes()), "PNG")
    upright = decoded(content, "photo")
    assert upright.pixels.shape == ((20, 30, 3) if orientation < 5 else (30, 20, 3))
    assert upright.exif is None
    lying = layers(kind, 3)
    corner = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (-1, 0), 7: (-1, -1), 8: (0, -1)}
    np.testing.assert_array_equal(upright.pixels[0, 0], lying[corner[orientation]])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [1, 3])
def test_a_tiff_that_lies_on_its_side_is_put_upright(orientation: int, channels: int) -> None:
    lying = layers(np.uint8 if channels == 3 else np.uint16, channels)
    file = BytesIO()
    Pillow.fromarray(lying).save(file, "TIFF", tiffinfo={0x0112: orientation})
    upright = decoded(file.getvalue(), "photo").pixels
    first = {1: lying[0], 2: lying[0, ::-1], 3: lying[-1, ::-1], 4: lying[-1]}
    first |= {5: lying[:, 0], 6: lying[::-1, 0], 7: lying[::-1, -1], 8: lying[:, -1]}
    expected = first[orientation]
    np.testing.assert_array_equal(upright[0], expected if channels == 3 else np.repeat(expected[:, None], 3, axis=1))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("xmp", [b'<a tiff:Orientation="6"/>', b"<tiff:Orientation>6</tiff:Orientation>"])
def test_a_picture_that_lies_on_its_side_by_its_xmp_is_put_upright_once(kind: str, depth: type, xmp: bytes) -> None:
    lying = Photograph(layers(depth, 3), xmp=xmp)
    upright = decoded(encoded(lying, "TIFF"), "photo")
    np.testing.assert_array_equal(upright.pixels, np.rot90(lying.pixels, 3))
    upright = decoded(encoded(lying, "PNG"), "photo")
    np.testing.assert_array_equal(upright.pixels, np.rot90(lying.pixels, 3))
    assert upright.xmp == xmp.replace(b"6", b"1")
    again = decoded(encoded(upright, kind), "again")
    assert again.pixels.shape == upright.pixels.shape
    if kind in ("PNG", "TIFF"):
        np.testing.assert_array_equal(again.pixels, upright.pixels)


def test_gray_of_16_bits_whose_zero_is_white_is_no_negative() -> None:
    gray, file = layers(np.uint16, 1), BytesIO()
    Pillow.fromarray(gray).save(file, "TIFF", tiffinfo={262: 0})
    np.testing.assert_array_equal(decoded(file.getvalue(), "photo").pixels[..., 0], 65535 - gray)


def test_the_transparent_gray_of_16_bits_stays_transparent() -> None:
    gray, file = layers(np.uint16, 1), BytesIO()
    gray[3:5] = 1234
    Pillow.fromarray(gray).save(file, "PNG", transparency=1234)
    photo = decoded(file.getvalue(), "photo")
    np.testing.assert_array_equal(photo.alpha, np.where(gray == 1234, 0, 65535))
    np.testing.assert_array_equal(decoded(encoded(photo, "PNG"), "again").alpha, photo.alpha)


def test_transparency_lies_over_white_in_jpeg() -> None:
    clear = Photograph(np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8))
    assert (decoded(encoded(clear, "JPEG"), "photo").pixels == 255).all()


@pytest.mark.parametrize("content", [b"", b"no picture", encoded(Photograph(layers(np.uint8, 3)), "PNG")[:200]])
def test_a_damaged_file_is_told_by_its_name(content: bytes) -> None:
    with pytest.raises(ImageError, match=r"holiday\.png"):
        decoded(content, "holiday.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_recipe_makes_the_same_bytes_again(model: artifact.Artifact, kind: str) -> None:
    photo = decoded(encoded(Photograph(layers(np.uint8, 3)), "PNG"), "photo")
    content = studio(model, strength=0.8, keep_color="mkl", seed=3).restyle(photo, kind)
    recipe = read_recipe(decoded(content, "out").recipe, "out")
    assert recipe.input == photo.sha256
    assert recipe.weights == model.card.weights_sha256
    assert recipe.strange() == []
    again = Studio(model, recipe.model, recipe.controls, recipe.memory).restyle(photo, kind)
    assert again == content


@pytest.mark.parametrize("text", [None, "", "{}", '{"ganstyle":"recipe"}', "[]", '{"ganstyle":"recipe","controls":3}'])
def test_a_picture_without_a_recipe_is_told(text: str | None) -> None:
    with pytest.raises(RecipeError, match="carries no recipe"):
        read_recipe(text, "out.png")


def test_a_folder_keeps_its_structure(tmp_path: Path) -> None:
    for name in ("a.jpg", "deep/er/b.bmp", "deep/notes.txt", ".hidden.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    found = jobs([str(tmp_path / "in")], str(tmp_path / "out"))
    assert {str(job.target.relative_to(tmp_path / "out")) for job in found} == {"a.jpg", "deep/er/b.png"}


@pytest.mark.parametrize("output", ["in/out", "in/deep/../out", "link/out"])
def test_results_within_the_folder_are_not_its_pictures(
    output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.png", "deep/b.png", "out/a.png", "out/deep/b.png", "deep/out/c.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    monkeypatch.chdir(tmp_path)
    found = jobs(["in"], output)
    assert {str(job.source) for job in found} == {"in/a.png", "in/deep/b.png", "in/deep/out/c.png"}
    assert len(jobs(["in/deep"], "in")) == 2


def test_a_pattern_stands_for_its_files(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.png"):
        (tmp_path / name).touch()
    assert [job.target.name for job in jobs([str(tmp_path / "*.jpg")], str(tmp_path / "out"))] == ["a.jpg", "b.jpg"]


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "a.bmp").touch()
    both = [str(tmp_path / "a.png"), str(tmp_path / "a.bmp")]
    with pytest.raises(BatchError, match="would both become"):
        jobs(both, str(tmp_path / "out"))
    with pytest.raises(BatchError, match="would replace the photograph itself"):
        jobs(both[:1], both[0])
    with pytest.raises(BatchError, match="is a file, but several"):
        jobs(both, both[0])
    with pytest.raises(BatchError, match="takes one picture"):
        jobs(both, "-")
    with pytest.raises(BatchError, match="no file is called like"):
        jobs([str(tmp_path / "*.tif")], "out")


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    publish(b"all", tmp_path / "new" / "out.png", force=False)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out.png"]
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ImageError, match="cannot write"):
        publish(b"all", tmp_path / "folder.png", force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "new"]


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_a_file_that_has_appeared_meanwhile_stays(links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not links:
        monkeypatch.setattr(os, "link", Mock(side_effect=PermissionError(1, "Operation not permitted")))
    publish(b"first", tmp_path / "out.png", force=False)
    with pytest.raises(ImageError, match="has appeared meanwhile; add --force"):
        publish(b"second", tmp_path / "out.png", force=False)
    assert (tmp_path / "out.png").read_bytes() == b"first"
    publish(b"third", tmp_path / "out.png", force=True)
    assert (tmp_path / "out.png").read_bytes() == b"third"
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
