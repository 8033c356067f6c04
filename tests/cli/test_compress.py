"""`ganstyle compress` from a teacher to a file in 8 bits, with networks so small that it takes seconds."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from data.pictures import fill

from ganstyle import artifact
from ganstyle.backends.likeness import Bound, drawn
from ganstyle.cli import compress, main
from ganstyle.cli.refusals import OverwriteError, UsageError
from ganstyle.cli.rungs import Job, _narrow
from ganstyle.compress import ladder, target
from ganstyle.compress.size import size_of
from ganstyle.compress.target import choose
from ganstyle.export import cost, parity, write
from ganstyle.export.errors import ParityError
from ganstyle.nn.light import Light
from ganstyle.nn.resnet import ResNet
from ganstyle.training import compress as training

SMALL = ("--set", "data.crop=32", "--set", "data.view=64", "--set", "data.resize=64", "--set", "trainer.precision=32")
SHORT = ("--images", 1, "--prune", 0, "--to", "none", *SMALL)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge few, small pictures; hardly trained networks stand 8 bits worse than trained ones."""
    monkeypatch.setitem(parity.BOUNDS, "int8", Bound(psnr=25.0))
    monkeypatch.setattr(parity, "LEAST", 64)
    monkeypatch.setattr(cost, "TIMED", 64)
    monkeypatch.setattr(cost, "MEASURED", (64, 128))
    monkeypatch.setattr(ladder, "RUNS", 1)
    monkeypatch.setattr(compress, "SIDE", 64)
    monkeypatch.setattr(target, "BLOCKS", range(2, 4))


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


ASKED = ("--target", "3x", "--images", 8, "--prune", 0.3, "--to", "none", "--resume", *SMALL)


def finished(place: Path) -> None:
    """Leave what a compression by these words leaves, without the training; the pruned network paints badly."""
    teacher = artifact.load(place / "teacher")
    told = {"teacher": {"weights_sha256": teacher.card.weights_sha256}, "target": "3x"}
    about = {"data": {"name": f"{place.name}/photographs"}, "styles": ("ink",)}
    student = Light(**choose(teacher.network, 3.0).arguments)
    card = artifact.save(student, place / "out" / "student", training=told | {"budget": {"student": 8}}, **about)
    told |= {"budget": {"student": 8, "recovery": 2}, "prune": 0.3, "student_sha256": card.weights_sha256}
    bad = Light(blocks=1, channels=4)
    with torch.no_grad():
        for parameter in bad.parameters():
            parameter.add_(torch.randn_like(parameter))
    artifact.save(bad, place / "out" / "pruned", training=told, **about)


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
    assert called(place, "--target", "5x", "--images", 8, "--prune", 0.3, "--resume", *SMALL) in (0, 1)
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


@pytest.mark.parametrize(
    "mine", ["student/notes.txt", "pruned/notes.txt", "training/000.png", "training/student/000.png"]
)
def test_force_removes_nothing_that_no_compression_left(
    mine: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact.save(Light(blocks=1, channels=4), place / "out" / "student")
    file = place / "out" / mine
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine")
    assert called(place, "--force", *SHORT) == 2
    assert "holds something that no compression left" in capsys.readouterr().err
    assert file.is_file()
    assert (place / "out" / "student" / "card.json").is_file()


def test_force_leaves_the_photographs_that_it_is_to_learn_from(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = place / "out" / "training" / "student"
    fill(run / "samples", 12, 0, 72, 80)
    assert called(place, "--force", "--data", run / "samples", *SHORT) == 2
    assert "holds something that no compression left" in capsys.readouterr().err
    (run / "config.yaml").write_text("")
    assert called(place, "--force", "--data", run / "samples", *SHORT) == 2
    assert "which --force removes; give another --output" in capsys.readouterr().err
    assert len(list((run / "samples").iterdir())) == 12


def test_force_follows_no_link_and_removes_what_a_compression_left(place: Path) -> None:
    words = compress.Namespace(data=place / "photographs", output=place / "out")
    job = Job(words, place / "photographs", [], [])
    for name in ("student", "training/narrowed"):
        artifact.save(Light(blocks=1, channels=4), place / "out" / name)
    for name in ("student", "pruned"):
        (place / "out" / "training" / name).mkdir()
        (place / "out" / "training" / name / "config.yaml").write_text("")
    assert compress._left(job) == [place / "out" / "student", place / "out" / "training"]
    (place / "out" / "pruned").symlink_to(place / "teacher")
    with pytest.raises(OverwriteError, match="pruned holds something that no compression left"):
        compress._left(job)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--target", "2x"), "student was made with other values of --target (was 3x, now 2x)"),
        (("--images", 9), "student was made with other values of --images (was 8, now 9)"),
        (("--data", "others"), "photographs, now"),
        (("--prune", 0.4), "pruned was made with other values of --prune (was 0.3, now 0.4); give the same"),
        (("--recovery", 7), "pruned was made with other values of --recovery (was 2, now 7)"),
    ],
)
def test_resume_takes_over_nothing_that_was_made_otherwise(
    words: tuple[str, ...], told: str, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(place)
    fill(place / "others", 12, 20, 72, 80)
    monkeypatch.chdir(place)
    assert called(place, *ASKED, *words) == 2
    assert told in capsys.readouterr().err


def test_resume_takes_over_nothing_of_another_teacher_or_another_student(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finished(place)
    card = artifact.read_card(place / "out" / "student")
    student = Light(**card.arguments)
    artifact.save(student, place / "out" / "student", training=card.training, data=card.data)
    assert called(place, *ASKED) == 2
    assert "pruned was made with other values of student (was" in capsys.readouterr().err
    artifact.save(ResNet(blocks=3, channels=12), place / "teacher")
    assert called(place, *ASKED) == 2
    assert "student was made with other values of ARTIFACT (was" in capsys.readouterr().err


def test_a_finished_student_goes_on_with_another_recovery(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lessons: list[training.Lesson] = []

    def taught(lesson: training.Lesson) -> Path:
        lessons.append(lesson)
        return place / "out" / "training" / "narrowed"

    finished(place)
    shutil.rmtree(place / "out" / "pruned")
    monkeypatch.setattr(training, "taught", taught)
    assert called(place, *ASKED, "--target", "3", "--recovery", 5, "--set", "system.ema=4") in (0, 1)
    assert [(lesson.folder.name, lesson.images) for lesson in lessons] == [("pruned", 5)]
    made = artifact.read_card(place / "out" / "pruned").training
    student = artifact.read_card(place / "out" / "student")
    assert (made["budget"], made["prune"]) == ({"student": 8, "recovery": 5}, 0.3)
    assert made["student_sha256"] == student.weights_sha256


def test_a_narrowed_student_stays_while_it_recovers_and_is_made_again_before(place: Path) -> None:
    finished(place)
    words = compress.Namespace(artifact=place / "teacher", output=place / "out", prune=0.2)
    job, narrow = Job(words, place / "photographs", [drawn(64, 64, 0)], []), place / "out" / "training" / "narrowed"
    for words.prune in (0.2, 0.3):
        _narrow(job, place / "out" / "student", narrow)
        assert artifact.read_card(narrow).training["prune"] == words.prune
    (narrow.parent / "pruned").mkdir()
    (narrow.parent / "pruned" / "config.yaml").write_text("")
    _narrow(job, place / "out" / "student", narrow)
    words.prune = 0.4
    with pytest.raises(UsageError, match=r"narrowed was made with other values of --prune \(was 0\.3, now 0\.4\)"):
        _narrow(job, place / "out" / "student", narrow)


@pytest.mark.parametrize("to", ["none", "onnx"])
def test_goals_are_the_student_s_where_pruning_did_not_pay_and_there_are_no_8_bits(
    to: str, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unfaithful(*_: object, **__: object) -> None:
        raise ParityError("8 bits harm it.")

    monkeypatch.setattr(write, "export", unfaithful)
    finished(place)
    assert called(place, *ASKED, "--to", to) in (0, 1)
    shown = capsys.readouterr().out
    assert "pruning did not pay" in shown
    assert ("too far from those of student" in shown) == (to == "onnx")
    report = json.loads((place / "out" / "compress.json").read_text())
    teacher, student, _ = report["ladder"]
    assert report["final"] == "student"
    assert report["goals"][0]["reached"] == teacher["parameters"] / student["parameters"]


def test_photographs_are_found_on_the_side_that_the_teacher_learned_to_restyle(place: Path) -> None:
    words = compress.Namespace(artifact=place / "teacher", data=place / "monet2photo")
    fill(place / "monet2photo" / "trainA", 1)
    assert compress._photographs(words).name == "trainB"
    data = {"name": "monet2photo/trainA -> monet2photo/trainB"}
    artifact.save(ResNet(blocks=1, channels=4), place / "teacher", data=data)
    assert compress._photographs(words).name == "trainA"
    plain = compress.Namespace(artifact=place / "teacher", data=place / "photographs")
    assert compress._photographs(plain) == place / "photographs"
