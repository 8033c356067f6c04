import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from ganstyle import artifact
from ganstyle.artifact import Metric
from ganstyle.cli import main
from ganstyle.nn.light import Light


@pytest.fixture
def model(tmp_path: Path) -> Path:
    artifact.save(
        Light(blocks=1, channels=8),
        tmp_path / "model",
        styles=["vangogh"],
        data={"name": "paintings"},
        training={"seed": 7},
        losses={"generator": {"content": 0.6}},
        metrics=[Metric("psnr", 21.5, "toy, 64 scenes")],
        licence="MIT",
    )
    return tmp_path / "model"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    Pillow.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def told(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The one sentence on stderr of a command line that is a mistake."""
    assert main([str(word) for word in words]) == 2
    output = capsys.readouterr()
    assert not output.out
    assert output.err.count("\n") == 1
    return output.err


def test_a_photo_is_restyled_in_its_own_size(model: Path, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.jpg"
    assert main(["stylize", str(photo), "--model", str(model), "--output", str(out)]) == 0
    with Pillow.open(out) as styled:
        assert styled.size == (53, 37)


def test_photos_may_stand_behind_options(model: Path, photo: Path, tmp_path: Path) -> None:
    other = photo.with_name("other.png")
    other.write_bytes(photo.read_bytes())
    assert main(["stylize", str(photo), "--model", str(model), str(other), "--output", str(tmp_path / "all")]) == 0
    assert {path.name for path in (tmp_path / "all").iterdir()} == {photo.name, other.name}


def test_nothing_is_overwritten_without_force(
    model: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    out.write_bytes(b"precious")
    words = ["stylize", photo, "--model", model, "--output", out]
    assert "add --force" in told(capsys, *words)
    assert out.read_bytes() == b"precious"
    assert main([str(word) for word in [*words, "--force"]]) == 0
    with Pillow.open(out) as styled:
        assert styled.size == (53, 37)


def test_info_prints_the_card(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(model)]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["network"].startswith("light (blocks 1, channels 8")
    assert lines["psnr"] == "21.5 (toy, 64 scenes)"
    assert lines["losses"] == "generator  content 0.6"
    assert main(["info", str(model), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((model / artifact.CARD).read_text())


def test_fetch_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch"]) == 0
    assert "vangogh2photo" in capsys.readouterr().out


def test_the_doctors_verdict_is_the_exit_code(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for n in range(4):
        pixels = np.random.default_rng(n).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Pillow.fromarray(pixels).save(folder / f"{n}.png")
    assert main(["doctor", str(folder)]) == 0
    (folder / "cut.png").write_bytes(photo.read_bytes()[:300])
    assert main(["doctor", str(folder)]) == 1
    assert "cut.png" in capsys.readouterr().out


def test_an_artifact_is_made_of_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in = types.ModuleType("ganstyle.training.export")
    stand_in.export_artifact = lambda checkpoint, folder: [folder / checkpoint.stem]
    monkeypatch.setitem(sys.modules, "ganstyle.training.export", stand_in)
    assert main(["artifact", "runs/last.ckpt", "--output", str(tmp_path / "model")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'model' / 'last'}\n"
    assert "add --force" in told(capsys, "artifact", "runs/last.ckpt", "--output", tmp_path)


MISTAKES = {
    "": "a command is missing",
    "stylise": "did you mean 'stylize'?",
    "stylize": "the following arguments are required: PHOTO, --model, --output",
    "stylize photo.png --modle x --output y": "no option '--modle'; did you mean '--model'?",
    "stylize photo.png --mod x --output y": "no option '--mod'; did you mean '--model'?",
    "stylize photo.png --model x --output y.txt": "unknown format '.txt'",
    "stylize photo.png --model x": "the following arguments are required: --output",
    "stylize nowhere.png --model x --output y.png": "there is no artifact at x",
    "info nowhere": "there is no artifact at nowhere",
    "info --jsn nowhere": "did you mean '--json'?",
    "info one two": "unrecognized arguments: two",
    "fetch vangogh2foto": "did you mean 'vangogh2photo'?",
    "fetch --to": "argument --to: expected one argument",
    "doctor": "the following arguments are required: DATA",
    f"info {'a' * 300}": "File name too long: aaa",
    "sweep experiment=toy_cut --trials 0 seed=1": "at least 1",
    "--verison": "did you mean '--version'?",
}


@pytest.mark.parametrize("line", MISTAKES, ids=lambda line: line or "nothing")
def test_a_mistake_is_told_in_one_sentence(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert MISTAKES[line] in told(capsys, *line.split())


def test_a_wrong_model_suggests_the_nearest(model: Path, photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = model.with_name("modle")
    assert "did you mean 'model'?" in told(capsys, "stylize", photo, "--model", wrong, "--output", wrong / "out.png")


def test_debug_shows_where_a_mistake_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--debug", "info", "nowhere"], ["info", "nowhere", "--debug"]):
        assert main(words) == 2
        assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["stylize", "info", "fetch", "doctor", "artifact", "evaluate", "figures", "sweep"])
def test_every_command_explains_itself_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert f"examples:\n  ganstyle {command}" in capsys.readouterr().out
