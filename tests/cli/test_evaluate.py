import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganstyle import artifact
from ganstyle.cli import main, subjects
from ganstyle.cli.evaluate import _runs
from ganstyle.cli.networks import seen_alike
from ganstyle.data.toy import landscapes
from ganstyle.images import read, write
from ganstyle.metrics.features import feature_network, teachers
from ganstyle.nn.light import Light

SIZE = 96


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs, paintings, an artifact, and results of somebody who paints the right thing."""
    root = tmp_path_factory.mktemp("world")
    scenes, truths = landscapes("test", 10, SIZE)
    _, paintings = landscapes("train paintings", 10, SIZE)
    for number in range(10):
        write(scenes[number], root / "photos" / f"{number}.png")
        write(paintings[number], root / "paintings" / f"p{number}.png")
        if number < 8:
            write(truths[number], root / "theirs" / f"{number}.png")
    torch.manual_seed(0)
    artifact.save(
        Light(blocks=1, channels=8),
        root / "model",
        training={"ema_half_life": 1000.0},
        losses={"generator": {"content": 1.0, "style": 2.0}},
    )
    return root


def words(world: Path, output: Path, *more: str) -> list[str]:
    data = ["--data", str(world / "photos"), "--reference", str(world / "paintings"), "--size", str(SIZE)]
    return ["evaluate", *data, "--force", "--cache", str(world / "cache"), "--output", str(output), *more]


def found(output: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((output / "metrics.json").read_text())
    return values


@pytest.fixture(scope="module")
def report(world: Path) -> dict[str, Any]:
    """What is found of the artifact, which is recorded too."""
    assert main(words(world, world / "report", "--model", str(world / "model"), "--record")) == 0
    return found(world / "report")


def test_an_artifact_is_judged_beside_every_baseline(world: Path, report: dict[str, Any]) -> None:
    assert [row["name"] for row in report["rows"][:5]] == ["model", "identity", "half-blend", "mkl", "style-copy"]
    names = {path.name for path in (world / "report").iterdir()}
    assert {"report.md", "report.html", "metrics.json", "per_image.csv", "plane.png", "pictures"} <= names
    assert report["opening"][0].endswith(("recoloring.", "equal content."))


def test_the_protocol_says_what_the_numbers_depend_on(report: dict[str, Any]) -> None:
    protocol = report["protocol"]
    assert (protocol["sources"], protocol["paintings"], protocol["size"]) == (10, 10, SIZE)
    assert (protocol["weights"], protocol["dropout"]) == ("ema", "none")
    assert protocol["features"] == "embedded"
    assert len(protocol["features_sha256"]) == len(protocol["reference_sha256"]) == 64
    assert "torch" in protocol["versions"]


def test_the_judges_own_features_in_training_are_marked(report: dict[str, Any]) -> None:
    scores = report["rows"][0]["scores"]
    assert {name for name, score in scores.items() if score["trained_with"]} == {"gram", "self_similarity"}
    assert "gram" not in report["style_scores"]


def test_scores_are_recorded_in_the_card_with_their_protocol(world: Path, report: dict[str, Any]) -> None:
    metrics = {metric.name: metric for metric in artifact.read_card(world / "model").metrics}
    assert metrics["content kept"].value == report["rows"][0]["content"]["value"]
    assert report["protocol"]["reference_sha256"] in metrics["content kept"].protocol
    assert artifact.load(world / "model")


def test_a_model_may_have_been_trained_through_a_pupil_of_the_judge(world: Path, tmp_path: Path) -> None:
    own, network = feature_network().sha256, feature_network()
    for through, seen in ((own, "same"), (next(iter(teachers(own))), "akin"), ("0" * 64, "other"), (None, "same")):
        training = {} if through is None else {"features_sha256": through}
        artifact.save(Light(blocks=1, channels=8), tmp_path / str(through), training=training)
        assert seen_alike(subjects.model(tmp_path / str(through)), network) == seen
    assert seen_alike(subjects.folder(world / "theirs"), network) == "other"


@pytest.mark.slow
def test_anybodys_results_are_judged_and_misses_are_told(
    world: Path, report: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = ("--results", str(world / "theirs"), "--name", "painter", "--against", str(world / "model"))
    assert main(words(world, tmp_path / "report", *both)) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == str(tmp_path / "report" / "report.html")
    theirs = found(tmp_path / "report")
    assert theirs["versus"] == ["painter", "model"]
    assert theirs["protocol"]["sources"] == 8
    assert "2 of 10 photographs have no result in painter (the first is 8); they take no part." in theirs["notes"]
    assert theirs["differences"]["style reached"]["low"] > 0


@pytest.mark.slow
def test_a_models_files_get_the_numbers_of_the_model(world: Path, report: dict[str, Any], tmp_path: Path) -> None:
    for path in sorted((world / "photos").iterdir()):
        out = tmp_path / "files" / path.name
        assert main(["stylize", str(path), "--model", str(world / "model"), "--output", str(out)]) == 0
        assert read(out).shape == (SIZE, SIZE, 3)
    assert main(words(world, tmp_path / "report", "--results", str(tmp_path / "files"))) == 0
    ours, theirs = (values["rows"][0]["scores"] for values in (report, found(tmp_path / "report")))
    for name, score in ours.items():
        assert theirs[name]["value"] == pytest.approx(score["value"], abs=1e-6), name


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("--model MODEL", "10 sources and 10 reference pictures"),
        ("--model MODEL --against MODEL --output FOREIGN", "exists and is not a report"),
        ("--results THEIRS --record --force", "--results has none"),
        ("--model MODEL --results THEIRS", "not allowed with argument"),
        ("", "one of the arguments --model --results is required"),
        ("--model NOWHERE --force", "there is no artifact"),
        ("--model MODEL --force --size 43", "--size is at least 44, but got 43"),
        ("--model MODEL --force --limit 0", "--limit is at least 1, but got 0"),
        ("--results THEIRS --force --data toy", "none of the 64 photographs of toy has a result of the same file stem"),
        ("--model MODEL --name mkl --force", "cannot be called 'mkl' here, since a row beside it is; give it another"),
    ],
)
def test_mistakes_are_told_in_one_sentence(
    world: Path, tmp_path: Path, more: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {
        "MODEL": world / "model",
        "THEIRS": world / "theirs",
        "FOREIGN": world / "photos",
        "NOWHERE": world / "no",
    }
    line = [word for word in words(world, tmp_path / "report") if word != "--force"]
    assert main([*line, *(str(places.get(word, word)) for word in more.split())]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert not (tmp_path / "report").exists()


@pytest.mark.slow
def test_pairs_are_judged_beside_their_targets_too(world: Path, tmp_path: Path) -> None:
    scenes, truths = landscapes("train", 6, SIZE)
    for number, pair in enumerate(zip(scenes, truths, strict=True)):
        write(np.concatenate(pair, axis=1), tmp_path / "pairs" / ("train" if number < 2 else "test") / f"{number}.png")
        write(truths[number], tmp_path / "right" / f"{number}.png")
    line = ["evaluate", "--results", str(tmp_path / "right"), "--data", str(tmp_path / "pairs"), "--size", str(SIZE)]
    assert main([*line, "--force", "--cache", str(tmp_path / "cache"), "--output", str(tmp_path / "report")]) == 0
    (right, identity, *_) = found(tmp_path / "report")["rows"]
    assert right["scores"]["l1"]["value"] == right["scores"]["feature_distance[embedded]"]["value"] == 0.0
    assert right["scores"]["ssim"]["value"] == pytest.approx(1.0)
    assert right["scores"]["psnr"]["value"] is None  # infinite
    assert identity["scores"]["l1"]["value"] > 0
    assert found(tmp_path / "report")["protocol"]["paintings"] == 6


@pytest.mark.slow
def test_two_processes_of_torchrun_write_the_same_numbers(world: Path, report: dict[str, Any], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "ganstyle.cli"]
    environment = os.environ | {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    line = words(world, tmp_path / "report", "--model", str(world / "model"))
    subprocess.run([*command, *line], check=True, env=environment, capture_output=True, timeout=300)
    assert found(tmp_path / "report") == report
    assert (tmp_path / "report" / "per_image.csv").read_text() == (world / "report" / "per_image.csv").read_text()


@pytest.mark.parametrize("path", ["run/artifact", "run/artifact/source_to_target"])
def test_the_run_that_an_artifact_lies_in_is_found(path: str, tmp_path: Path) -> None:
    (tmp_path / "run" / "csv").mkdir(parents=True)
    assert _runs(Namespace(model=tmp_path / path, against=None)) == [(tmp_path / "run").resolve()]
    assert _runs(Namespace(model=tmp_path / "model", against=tmp_path / "other")) == []
