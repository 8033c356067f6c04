"""`ganstyle stylize` and `ganstyle redo` as a user calls them."""

import io
import json
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from inspect import unwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image as Pillow

from ganstyle import artifact, images
from ganstyle.backends.pace import processor
from ganstyle.cli import main, progress
from ganstyle.nn.light import Light
from ganstyle.stylize.encode import encoded
from ganstyle.stylize.files import Restyled, Studio
from ganstyle.stylize.photograph import Photograph, read


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stylize")
    artifact.save(Light(blocks=1, channels=8), folder / "model")
    (folder / "photos").mkdir()
    for n in range(2):
        pixels = np.random.default_rng(n).integers(0, 256, (37, 53, 3), dtype=np.uint8)
        Pillow.fromarray(pixels).save(folder / "photos" / f"{n}.png")
    return folder


def called(*words: object) -> int:
    return main([str(word) for word in words])


def test_a_bad_picture_does_not_stop_the_rest(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    inputs = (place / "photos" / "0.png", bad, place / "photos" / "1.png")
    assert called("stylize", *inputs, "--model", place / "model", "--output", tmp_path / "out") == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "1.png"]
    told = capsys.readouterr().err
    assert "1 of 3 pictures could not be restyled" in told
    assert "bad.png is not a picture" in told


def test_a_file_that_appears_while_its_picture_is_painted_stays(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    restyled = Studio.restyled

    def disturbed(studio: Studio, photo: Photograph) -> Restyled:
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "out" / "0.png").write_bytes(b"precious")
        return restyled(studio, photo)

    monkeypatch.setattr(Studio, "restyled", disturbed)
    words = ("stylize", place / "photos", "--model", place / "model", "--output", tmp_path / "out")
    assert called(*words) == 1
    assert (tmp_path / "out" / "0.png").read_bytes() == b"precious"
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'out' / '1.png'}\n"
    assert "1 of 2 pictures could not be restyled" in told.err
    assert "0.png has appeared meanwhile" in told.err
    assert called(*words, "--force") == 0
    assert read(tmp_path / "out" / "0.png").pixels.shape == (37, 53, 3)


def test_a_picture_goes_from_standard_input_to_standard_output(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = io.BytesIO()
    photo = io.BytesIO(encoded(replace(read(place / "photos" / "0.png"), iptc=b"\x1c\x02\x05\x00\x01a"), "JPEG"))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=photo))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    assert called("stylize", "-", "--model", place / "model", "--output", "-") == 0
    assert Pillow.open(out).size == (53, 37)
    assert capsys.readouterr().err == "the picture is without its IPTC record.\n"


def test_a_picture_is_made_again(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, out = place / "photos" / "0.png", tmp_path / "out.jpg"
    controls = ("--strength", 0.7, "--max-memory", "1MB", "--keep-color", "luminance")
    assert called("stylize", photo, "--model", place / "model", *controls, "--output", out) == 0
    assert called("redo", out, "--input", photo, "--output", tmp_path / "again.jpg") == 0
    assert "the same" in capsys.readouterr().out
    assert (tmp_path / "again.jpg").read_bytes() == out.read_bytes()
    assert called("redo", out, "--input", photo, "--output", tmp_path / "again.png") == 2
    assert f"{out} is a JPEG, and so will be {tmp_path / 'again.png'}" in capsys.readouterr().err
    assert called("redo", out, "--input", place / "photos" / "1.png") == 2
    assert "is not the photograph of the recipe" in capsys.readouterr().err


def test_a_picture_beyond_the_limit_for_training_is_made_again(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, out = place / "photos" / "0.png", tmp_path / "out.png"
    assert called("stylize", photo, "--model", place / "model", "--output", out) == 0
    monkeypatch.setitem(unwrap(images.header).__kwdefaults__, "largest", 37 * 53 - 1)
    assert called("redo", out, "--input", photo) == 0


def test_a_mask_is_part_of_the_recipe(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, out, mask = place / "photos" / "0.png", tmp_path / "out.png", tmp_path / "mask.png"
    Pillow.linear_gradient("L").resize((53, 37)).save(mask)
    words = ("stylize", photo, "--model", place / "model", "--mask", mask, "--feather", 3, "--output", out)
    assert called(*words) == 0
    assert called("redo", out, "--input", photo, "--mask", mask) == 0
    assert called("redo", out, "--input", photo) == 2
    assert "the recipe has a mask" in capsys.readouterr().err


def test_nothing_that_a_picture_is_made_of_is_replaced(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, out, mask = (tmp_path / f"{name}.png" for name in ("photo", "out", "mask"))
    photo.write_bytes((place / "photos" / "0.png").read_bytes())
    Pillow.linear_gradient("L").resize((53, 37)).save(mask)
    before = [path.read_bytes() for path in (photo, mask)]
    words = ("stylize", photo, "--model", place / "model", "--mask", mask)
    assert called(*words, "--output", out) == 0
    assert called(*words, "--output", mask, "--force") == 2
    for target in (photo, mask):
        assert called("redo", out, "--input", photo, "--mask", mask, "--output", target, "--force") == 2
        assert f"{target} would replace {target} itself" in capsys.readouterr().err
    assert [path.read_bytes() for path in (photo, mask)] == before


def test_a_feather_without_a_mask_is_refused(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("stylize", place / "photos" / "0.png", "--model", place / "model", "--output", tmp_path / "out.png")
    assert called(*words, "--feather", 5) == 2
    assert "--feather softens the edge of a mask; give --mask, too." in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["gif", "webp", "tif", "png"])
def test_frames_that_are_left_out_are_named(
    suffix: str, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = [Pillow.new("RGB", (53, 37), color) for color in ("red", "blue", "green")]
    source = tmp_path / f"frames.{suffix}"
    frames[0].save(source, save_all=True, append_images=frames[1:])
    assert called("stylize", source, "--model", place / "model", "--output", tmp_path / "out.png") == 0
    assert "out.png is without 2 of its 3 frames." in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["png", "tif"])
@pytest.mark.parametrize("alpha", [False, True])
def test_depth_transparency_and_what_is_outside_the_mask_go_through_files(
    kind: str, alpha: bool, place: Path, tmp_path: Path
) -> None:
    layers = np.random.default_rng(0).integers(0, 65536, (37, 53, 4), dtype=np.uint16)
    photo = Photograph(layers[..., :3].copy(), layers[..., 3].copy() if alpha else None)
    source, out, same, mask = (tmp_path / f"{name}.{kind}" for name in ("photo", "out", "same", "mask"))
    source.write_bytes(encoded(photo, "PNG" if kind == "png" else "TIFF"))
    inside = np.zeros((37, 53), np.uint8)
    inside[10:30, 5:40] = 255
    Pillow.fromarray(inside).save(mask)
    words = ("stylize", source, "--model", place / "model")
    assert called(*words, "--mask", mask, "--output", out) == 0
    assert called(*words, "--strength", 0, "--output", same) == 0
    painted = read(out)
    assert painted.pixels.dtype == np.uint16
    np.testing.assert_array_equal(painted.pixels[inside == 0], photo.pixels[inside == 0])
    assert (painted.pixels[inside > 0] != photo.pixels[inside > 0]).any(axis=1).mean() > 0.99
    np.testing.assert_array_equal(read(same).pixels, photo.pixels)
    for found in (painted, read(same)):
        np.testing.assert_array_equal(found.alpha, photo.alpha)


def test_a_changed_picture_is_told(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, out = place / "photos" / "0.png", tmp_path / "out.png"
    assert called("stylize", photo, "--model", place / "model", "--output", out) == 0
    out.write_bytes(out.read_bytes() + b"\0")
    assert called("redo", out, "--input", photo) == 1
    assert "was changed after it was made" in capsys.readouterr().err


def rewritten(picture: Path, **changes: object) -> None:
    """Have a picture's recipe say something else."""
    photo = read(picture)
    recipe = json.loads(photo.recipe or "")
    picture.write_bytes(encoded(photo, "PNG", json.dumps(recipe | changes, sort_keys=True, separators=(",", ":"))))


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"versions": {"torch": "1.0"}}, 1, "torch 1.0, here"),
        ({"versions": {"threads": "99"}}, 1, "but the same pixels (threads 99, here 1)"),
        ({"versions": {"vectors": "AVX9"}}, 1, "vectors AVX9, here"),
        ({"versions": {"processor": "Another 9000"}}, 1, "but the same pixels (processor Another 9000, here "),
        ({"backend": "tensorflow"}, 1, "backend tensorflow, here torch"),
        ({"model": "elsewhere/model"}, 2, "elsewhere/model, the recipe's model, is not there any more"),
        ({"weights": "0" * 64}, 2, "is not the artifact of the recipe"),
        ({"controls": {"hue": 3}, "versions": {"ganstyle": "9.0"}}, 2, "a recipe that ganstyle 9.0 wrote"),
        ({"controls": {"strength": 0.9}}, 1, "not the same bytes: off by up to"),
    ],
)
def test_redo_says_when_it_cannot(
    changes: dict[str, Any], code: int, says: str, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, out = place / "photos" / "0.png", tmp_path / "out.png"
    assert called("stylize", photo, "--model", place / "model", "--output", out) == 0
    recipe = json.loads(read(out).recipe or "")
    rewritten(out, **{key: recipe[key] | value if isinstance(value, dict) else value for key, value in changes.items()})
    assert called("redo", out, "--input", photo) == code
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1


def test_a_recipe_of_before_processors_were_named_is_followed(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, out = place / "photos" / "0.png", tmp_path / "out.png"
    assert called("stylize", photo, "--model", place / "model", "--output", out) == 0
    versions = json.loads(read(out).recipe or "")["versions"]
    rewritten(out, versions={name: found for name, found in versions.items() if name != "processor"})
    assert called("redo", out, "--input", photo) == 1
    assert f"but the same pixels (processor unknown, here {processor()})" in capsys.readouterr().err


def test_a_moved_model_is_named(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, out, model = place / "photos" / "0.png", tmp_path / "out.png", tmp_path / "model"
    shutil.copytree(place / "model", model)
    assert called("stylize", photo, "--model", model, "--output", out) == 0
    model.rename(tmp_path / "moved")
    assert called("redo", out, "--input", photo) == 2
    assert "say as --model where it is" in capsys.readouterr().err
    assert called("redo", out, "--input", photo, "--model", tmp_path / "moved") == 0


def test_strips_announce_disk_and_time(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large = tmp_path / "large.png"
    Pillow.new("RGB", (300, 200), "green").save(large)
    words = ("stylize", large, "--model", place / "model", "--max-memory", "2MB", "--output", tmp_path / "out.png")
    assert called(*words) == 0
    assert "in strips within 2 MB of memory" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("error", [None, MemoryError()])
def test_a_bar_ends_with_its_picture(
    error: Exception | None, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, told, began, told_of = tmp_path / "photos", Terminal(), set(threading.enumerate()), []
    photos.mkdir()
    for name in ("a.png", "b.png"):
        Pillow.new("RGB", (301, 201), "green").save(photos / name)
    begun = progress.Teller._begun

    def spied(self: progress.Teller, total: float) -> Callable[[float], None]:
        advance = begun(self, total)
        told_of.append(self.bar)
        return advance

    monkeypatch.setattr(progress.Teller, "_begun", spied)
    monkeypatch.setattr(sys, "stderr", told)
    if error is not None:
        monkeypatch.setattr("ganstyle.stylize.paint.finished", Mock(side_effect=error))
    words = ("stylize", photos, "--model", place / "model", "--max-memory", "2MB", "--output", tmp_path / "out")
    assert called(*words) == (0 if error is None else 1)
    left = [thread for thread in threading.enumerate() if thread not in began]
    for thread in left:
        thread.join(10)  # one that was told to end wakes up once more
    assert not [thread for thread in left if thread.is_alive()]
    assert told.getvalue().count("in strips") == len(told_of) == 2
    assert [round(bar.tasks[0].percentage, 6) == 100 for bar in told_of] == [error is None] * 2
