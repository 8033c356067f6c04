"""What happens beside the training steps, and that it never changes them."""

import csv
import json
from pathlib import Path

import pytest
import torch
from PIL import Image as Pillow
from safetensors.torch import load_file
from training.game import NETWORKS, UNPAIRED, Ended, checkpoint, differences, drift, here, newest

from ganstyle.artifact import load
from ganstyle.training.export import export_artifact


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Path]:
    """A whole run of 24 images with a best checkpoint."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("runs")
    knobs = ("callbacks.checkpoints.monitor=val/psnr", "callbacks.checkpoints.mode=max", "system.ema=100")
    return here(folder, *knobs), newest(folder)


def test_a_run_folder_holds_what_the_help_says(ended: tuple[Ended, Path]) -> None:
    _, run = ended
    assert {path.name for path in run.iterdir()} == {
        ".lock",
        "artifact",
        "began.txt",
        "checkpoints",
        "comparison.png",
        "config.yaml",
        "csv",
        "health.json",
        "metrics.json",
        "overrides.yaml",
        "run.log",
        "samples",
    } - ({"run.log"} if not (run / "run.log").exists() else set())
    assert "experiment=smoke" in (run / "overrides.yaml").read_text()


def test_grids_come_when_they_are_due_with_a_column_for_each_picture(ended: tuple[Ended, Path]) -> None:
    _, run = ended
    assert sorted(path.name for path in (run / "samples").iterdir()) == [f"{n:09d}.png" for n in (8, 16, 24)]
    with Pillow.open(run / "samples" / "000000024.png") as picture:
        width, height = picture.size
    assert 3 * 32 <= width < 6 * 32 * 8
    assert height >= 2 * 32


def test_the_artifact_is_the_averaged_generator(ended: tuple[Ended, Path]) -> None:
    _, run = ended
    state = checkpoint(run)
    weights = load_file(run / "artifact" / "weights.safetensors")
    assert differences(dict(sorted(weights.items())), dict(sorted(state["generators"]["generator"].items()))) == []
    assert differences(state["generators"]["generator"], state["networks"]["generator"]) != []
    card = load(run / "artifact").card
    assert card.training["images_seen"] == 24
    assert card.losses["generator"] == {"adversarial": 1.0, "l1": 100.0}
    assert card.data["name"] == "toy"


def test_an_artifact_on_demand_equals_the_one_at_the_end(ended: tuple[Ended, Path], tmp_path: Path) -> None:
    _, run = ended
    for name, source in (("file", run / "checkpoints" / "last.ckpt"), ("run", run)):
        (path,) = export_artifact(source, tmp_path / name)
        ours, theirs = (load_file(place / "weights.safetensors") for place in (path, run / "artifact"))
        assert differences(ours, theirs) == []


def test_the_metrics_say_what_was_measured_and_how(ended: tuple[Ended, Path]) -> None:
    said, run = ended
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["images_seen"] == 24
    assert set(metrics["train"]) == {
        "train/discriminator/fake",
        "train/discriminator/real",
        "train/generator/adversarial",
        "train/generator/l1",
    }
    assert metrics["validation"] == checkpoint(run)["scores"]
    assert metrics["test"]["psnr_gain"] == pytest.approx(
        metrics["test"]["psnr"] - max(metrics["test"][f"psnr_{n}"] for n in ("identity", "mean_color", "affine_color"))
    )
    assert set(metrics["protocol"]) == set(metrics["test"])
    assert said.out.splitlines()[-1] == f"gain {metrics['test']['psnr_gain']:+.1f} dB"


def test_source_result_and_truth_stand_side_by_side(ended: tuple[Ended, Path]) -> None:
    with Pillow.open(ended[1] / "comparison.png") as picture:
        assert picture.size[0] >= 3 * 32


def test_the_curves_are_rows_over_images_seen(ended: tuple[Ended, Path]) -> None:
    rows = (ended[1] / "csv" / "version_0" / "metrics.csv").read_text().splitlines()
    columns = rows[0].split(",")
    assert {"images_seen", "train/generator/l1", "val/generator/l1", "lr/generator", "images_per_second"} <= {*columns}
    last = dict(zip(columns, rows[-1].split(","), strict=True))
    assert last["images_seen"] in ("24", "24.0")


@pytest.mark.parametrize("mode", ["min", "max"])
def test_best_is_the_checkpoint_whose_score_was_best(tmp_path: Path, mode: str) -> None:
    knobs = ("callbacks.checkpoints.monitor=val/generator/l1", f"callbacks.checkpoints.mode={mode}")
    every = ("callbacks.checkpoints.every=4", "callbacks.validation.every=4", "trainer.max_images=12")
    assert here(tmp_path, *knobs, *every).code == 0
    run = newest(tmp_path)
    rows = [row.split(",") for row in (run / "csv" / "version_0" / "metrics.csv").read_text().splitlines()]
    place = rows[0].index("val/generator/l1")
    scores = [float(row[place]) for row in rows[1:] if row[place]]
    assert len(scores) == 3
    best = min(scores) if mode == "min" else max(scores)
    assert checkpoint(run, "best")["scores"]["val/generator/l1"] == pytest.approx(best)
    assert checkpoint(run, "best")["images_seen"] == 4 * (scores.index(best) + 1)
    assert checkpoint(run)["best"] == pytest.approx(best)


def scored(run: Path, score: str) -> dict[int, float]:
    """A score of the csv logger, by images seen."""
    with (run / "csv" / "version_0" / "metrics.csv").open() as file:
        return {int(float(row["images_seen"])): float(row[score]) for row in csv.DictReader(file) if row.get(score)}


@pytest.mark.parametrize(
    ("validation", "saves", "more"), [(4, 24, ()), (6, 8, ()), (4, 24, ("system.accumulate=3", "system.ema=10"))]
)
def test_best_holds_the_weights_that_were_scored_however_seldom_a_run_is_saved(
    tmp_path: Path, validation: int, saves: int, more: tuple[str, ...]
) -> None:
    every = (f"callbacks.validation.every={validation}", f"callbacks.checkpoints.every={saves}")
    knobs = ("callbacks.checkpoints.monitor=val/generator/l1", "callbacks.checkpoints.mode=max", *more)
    assert here(tmp_path, *every, *knobs).code == 0
    scores = scored(newest(tmp_path), "val/generator/l1")
    best = checkpoint(newest(tmp_path), "best")
    assert scores[best["images_seen"]] == pytest.approx(max(scores.values()))
    assert best["scores"]["val/generator/l1"] == pytest.approx(max(scores.values()))
    assert checkpoint(newest(tmp_path))["best"] == pytest.approx(max(scores.values()))


def test_looking_at_a_run_does_not_change_it(tmp_path: Path) -> None:
    dropout = ("generator=unet128", "generator.channels=4", "generator.depth=3", "~generator.blocks")
    method = tuple(knob for knob in dropout if not knob.startswith("~"))
    networks = ("name=smoke", "data=toy", "data.size=32", "data.scenes=6", "data.val=2", "data.held_out=2")
    base = (
        *networks,
        *method,
        "discriminator=patchgan",
        "discriminator.in_channels=6",
        "discriminator.channels=4",
        "discriminator.layers=1",
        "trainer=small",
        "trainer.batch_size=2",
        "trainer.workers=0",
        "trainer.precision=32",
        "trainer.max_images=12",
    )
    often = ("callbacks.validation.every=1", "callbacks.samples.every=1", "callbacks.checkpoints.every=1")
    for folder, knobs in (("often", often), ("never", ("callbacks.validation=null", "callbacks.samples=null"))):
        ended = here(tmp_path / folder, *knobs, base=base)
        assert ended.code == 0, ended.err
    found = drift(newest(tmp_path / "often"), newest(tmp_path / "never"))
    assert [place for place in found if not place.startswith("/scores")] == []


def test_two_generators_give_two_artifacts(tmp_path: Path) -> None:
    ended = here(tmp_path, "method=cyclegan", *UNPAIRED, *NETWORKS, "trainer.max_images=4")
    assert ended.code == 0, ended.err
    folders = sorted(path for path in (newest(tmp_path) / "artifact").iterdir())
    assert len(folders) == 2
    weights = [load_file(folder / "weights.safetensors") for folder in folders]
    assert differences(*weights) != []
    exported = export_artifact(newest(tmp_path), tmp_path / "exported")
    assert sorted(path.name for path in exported) == [folder.name for folder in folders]


def test_progress_is_told_in_lines_where_there_is_no_terminal(ended: tuple[Ended, Path]) -> None:
    assert any(line.startswith("24/24 images  ") and "generator/l1" in line for line in ended[0].out.splitlines())
