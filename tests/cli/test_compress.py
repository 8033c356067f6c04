"""`ganstyle compress` from a teacher to a file in 8 bits, with networks so small that it takes seconds."""

import json
from pathlib import Path

import pytest
import torch
from data.pictures import fill

from ganstyle import artifact
from ganstyle.cli import compress, main
from ganstyle.compress import ladder
from ganstyle.compress.size import size_of
from ganstyle.export import cost, parity
from ganstyle.nn.light import Light
from ganstyle.nn.resnet import ResNet

SMALL = ("--set", "data.crop=32", "--set", "data.view=64", "--set", "data.resize=64", "--set", "trainer.precision=32")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge few, small pictures; hardly trained networks stand 8 bits worse than trained ones."""
    monkeypatch.setitem(parity.BOUNDS, "int8", parity.Bound(psnr=25.0))
    monkeypatch.setattr(parity, "LEAST", 64)
    monkeypatch.setattr(cost, "TIMED", 64)
    monkeypatch.setattr(cost, "MEASURED", (64, 128))
    monkeypatch.setattr(ladder, "RUNS", 1)
    monkeypatch.setattr(compress, "SIDE", 64)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A teacher and photographs."""
    torch.manual_seed(0)
    teacher = ResNet(blocks=3, channels=12)
    with torch.no_grad():
        teacher.decoder[2].weight.mul_(10)
    artifact.save(teacher, tmp_path / "teacher", styles=("ink",), licence="MIT")
    fill(tmp_path / "photographs", 12, 0, 72, 80)
    return tmp_path


def called(place: Path, *words: object) -> int:
    given = ("compress", place / "teacher", "--data", place / "photographs", "--output", place / "out", *words)
    return main([str(word) for word in given])


@pytest.mark.slow
def test_a_smaller_network_comes_out_with_its_report_and_its_teacher_s_name(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    called(place, "--target", "5x", "--images", 8, "--prune", 0.3, *SMALL)
    teacher, student, pruned = (artifact.load(place / name) for name in ("teacher", "out/student", "out/pruned"))
    sizes = [size_of(one.network) for one in (teacher, student, pruned)]
    assert sizes[0].parameters >= 5 * sizes[1].parameters > 5 * sizes[2].parameters
    assert sizes[2].multiply_adds < 0.75 * sizes[1].multiply_adds
    for made in (student.card, pruned.card):
        assert made.training["teacher"]["weights_sha256"] == teacher.card.weights_sha256
        assert made.styles == ("ink",)
        assert made.licence.startswith("MIT; ")
        assert {metric.name for metric in made.metrics} == {"l1_to_teacher", "psnr_to_teacher"}
    assert pruned.card.training["budget"] == {"student": 8, "recovery": 2}
    report = json.loads((place / "out" / "compress.json").read_text())
    assert [rung["name"] for rung in report["ladder"]] == ["teacher", "student", "pruned", "int8"]
    assert "fewer parameters" in capsys.readouterr().out
    assert called(place) == 2
    assert called(place, "--target", "5x", "--images", 8, "--resume", *SMALL) in (0, 1)
    assert artifact.load(place / "out" / "pruned").card.weights_sha256 == pruned.card.weights_sha256


@pytest.mark.slow
def test_without_pruning_and_8_bits_there_is_the_student_alone(place: Path) -> None:
    called(place, "--target", "3x", "--images", 4, "--prune", 0, "--to", "none", *SMALL)
    found = {path.name for path in (place / "out").iterdir()}
    assert found == {"student", "training", "compress.json"}
    assert isinstance(artifact.load(place / "out" / "student").network, Light)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--target", "ten"), "--target ten is not a factor above 1"),
        (("--target", "100000x"), "the smallest one allows --target"),
        (("--prune", "1"), "--prune is 1, but it is a share"),
        (("--to", "safetensors"), "--to is safetensors, but 8 bits go to onnx, openvino or none"),
        (("--images", "0"), "--images and --recovery are numbers of photographs"),
        (("--set", "trainer.batch_sise=2"), "batch_sise"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    words: tuple[str, ...], told: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(place, *words) == 2
    shown = capsys.readouterr().err.strip()
    assert told in shown
    assert "\n" not in shown


def test_nothing_is_replaced_unasked_and_several_styles_are_refused(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "out" / "student").mkdir(parents=True)
    (place / "out" / "notes.txt").write_text("mine")
    assert called(place) == 2
    assert "exists; add --force to replace it or --resume to go on" in capsys.readouterr().err
    assert called(place, "--force", "--target", "100000x") == 2
    assert called(place, "--force", "--set", "trainer.batch_sise=2") == 2
    assert {path.name for path in (place / "out").iterdir()} == {"student", "notes.txt"}
    assert main(["compress", str(place / "teacher"), "--data", "d", "--output", str(place), "--force"]) == 2
    assert "lies in --output" in capsys.readouterr().err
    artifact.save(Light(blocks=1, channels=4, styles=2), place / "teacher", styles=("ink", "chalk"))
    assert called(place, "--force") == 2
    assert "paints several styles" in capsys.readouterr().err


def test_photographs_are_found_on_the_side_that_the_teacher_learned_to_restyle(place: Path) -> None:
    words = compress.Namespace(artifact=place / "teacher", data=place / "monet2photo")
    fill(place / "monet2photo" / "trainA", 1)
    assert compress._photographs(words).name == "trainB"
    data = {"name": "monet2photo/trainA -> monet2photo/trainB"}
    artifact.save(ResNet(blocks=1, channels=4), place / "teacher", data=data)
    assert compress._photographs(words).name == "trainA"
    plain = compress.Namespace(artifact=place / "teacher", data=place / "photographs")
    assert compress._photographs(plain) == place / "photographs"
