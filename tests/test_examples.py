"""Every example runs, as its docstring says."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganstyle import artifact
from ganstyle.nn.light import Light

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def play(monkeypatch: pytest.MonkeyPatch, name: str, *words: object) -> None:
    """Run an example as a command would."""
    path = EXAMPLES / f"{name}.py"
    monkeypatch.setattr(sys, "argv", [str(path), *map(str, words)])
    runpy.run_path(str(path), run_name="__main__")


def test_a_photograph_is_restyled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact.save(Light(channels=4, blocks=1), tmp_path / "model", styles=["nobody"])
    Image.fromarray(np.full((30, 41, 3), 90, dtype=np.uint8)).save(tmp_path / "photo.jpg")
    play(monkeypatch, "stylize_photo", tmp_path / "photo.jpg", tmp_path / "model", tmp_path / "painting.png")
    with Image.open(tmp_path / "painting.png") as painting:
        assert painting.size == (41, 30)


def test_a_plain_loop_learns_and_leaves_an_artifact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch, "bare_loop", 24, tmp_path / "toy")
    untrained, trained = (float(line.split()[1]) for line in capsys.readouterr().out.splitlines())
    assert trained > untrained + 1
    assert artifact.load(tmp_path / "toy").card.styles == ("toy",)


def test_a_loss_of_ones_own_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = ("generator.channels=4", "generator.blocks=1", "trainer.max_images=4", "data.scenes=4", "logger=none")
    play(monkeypatch, "own_loss", tmp_path / "run", "experiment=smoke", *small)
    card = artifact.read_card(tmp_path / "run" / "artifact")
    assert card.losses["generator"]["palette"] == 10
    assert (tmp_path / "run" / "comparison.png").is_file()


def test_every_example_is_tested() -> None:
    played = Path(__file__).read_text(encoding="utf-8")
    assert [path.stem for path in EXAMPLES.glob("*.py") if f'"{path.stem}"' not in played] == []
