"""Scores of held-out pictures in the loop: what they lead to, what they cost, and that they change nothing."""

import csv
import json
import math
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from training.game import Ended, checkpoint, drift, fault, here, newest, train

from ganstyle.errors import ConfigError
from ganstyle.training.callbacks.quality import BEST, WAITED, Quality
from ganstyle.training.gauge import Gauge

WATCHED = (
    "callbacks=quality",
    "callbacks.quality.every=8",
    "callbacks.quality.references=8",
    "data.val=6",
    "data.size=96",
    "callbacks.quality.budget=1",
)
LED = ("objective=-quality/gain",)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Path]:
    """A run of 24 images, judged three times, led by its gain."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("runs")
    return here(folder, *WATCHED, *LED), newest(folder)


def judged(run: Path) -> list[dict[str, str]]:
    """The rows of the csv logger that hold scores of quality."""
    with (run / "csv" / "version_0" / "metrics.csv").open() as file:
        return [row for row in csv.DictReader(file) if row.get("quality/edge_correlation")]


def test_scores_are_rows_with_their_intervals_and_the_share_of_time(ended: tuple[Ended, Path]) -> None:
    told, run = ended
    assert told.code == 0, told.err
    rows = judged(run)
    assert [float(row["images_seen"]) for row in rows] == [8, 16, 24]
    for row in rows:
        low, value, high = (float(row[f"quality/dog_ssim{end}"]) for end in ("/low", "", "/high"))
        assert low <= value <= high
        assert 0 < float(row["quality/share"]) < 1


def test_the_newest_scores_stand_beside_their_protocol(ended: tuple[Ended, Path]) -> None:
    kept = json.loads((ended[1] / "quality.json").read_text())
    assert kept["images_seen"] == 24
    assert kept["protocol"]["sources"] == 6
    assert kept["protocol"]["features_sha256"]
    assert kept["protocol"]["weights"] == "ema"
    assert kept["scores"]["quality/psnr"][0] == pytest.approx(checkpoint(ended[1])["scores"]["quality/psnr"])


def test_scores_of_validation_and_of_quality_are_kept_together(ended: tuple[Ended, Path]) -> None:
    scores = checkpoint(ended[1])["scores"]
    assert {"val/psnr", "val/generator/l1", "quality/gain", "quality/gram"} <= scores.keys()


def test_best_is_the_checkpoint_that_gained_most_without_being_told(ended: tuple[Ended, Path]) -> None:
    gains = {float(row["images_seen"]): float(row["quality/gain"]) for row in judged(ended[1]) if row["quality/gain"]}
    best = checkpoint(ended[1])["best"]
    if not gains:
        assert best is None
        return
    assert best == pytest.approx(max(gains.values()))
    assert gains[checkpoint(ended[1], "best")["images_seen"]] == pytest.approx(best)


def test_the_protocol_and_every_score_are_told_in_the_log(ended: tuple[Ended, Path]) -> None:
    text = (ended[1] / "run.log").read_text()
    assert text.count("quality is measured on: data toy, val") == 1
    assert text.count("% of run time so far") == 3


@pytest.fixture(scope="module")
def skipping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run with no time to spend."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("runs")
    assert here(folder, *WATCHED, *LED, "callbacks.quality.budget=0").code == 0
    return newest(folder)


@pytest.mark.slow
def test_without_a_budget_only_the_evaluation_at_the_end_is_made(skipping: Path) -> None:
    assert [float(row["images_seen"]) for row in judged(skipping)] == [24]
    text = (skipping / "run.log").read_text()
    assert text.count("is skipped to keep its share of run time") == 2
    assert "over the budget of 0 %" in text


@pytest.mark.slow
def test_what_is_skipped_changes_nothing_that_is_trained(ended: tuple[Ended, Path], skipping: Path) -> None:
    assert [place for place in drift(ended[1], skipping) if place != "/best"] == []


def test_judging_changes_nothing_that_is_trained(ended: tuple[Ended, Path], tmp_path: Path) -> None:
    assert here(tmp_path, "data.val=6", "data.size=96").code == 0
    found = drift(ended[1], newest(tmp_path))
    assert [place for place in found if not place.startswith(("/score", "/best"))] == []


@pytest.mark.slow
def test_a_run_that_gets_no_better_ends_early_and_keeps_what_it_made(tmp_path: Path) -> None:
    still = ("system.optimizers.generator.lr=0.0", "system.optimizers.discriminator.lr=0.0")
    patience = ("callbacks.quality.patience=1", "callbacks.quality.monitor=quality/dog_ssim")
    knobs = (*WATCHED, *still, *patience, "callbacks.validation.every=12")
    told = here(tmp_path, *knobs)
    assert told.code == 0, told.err
    run = newest(tmp_path)
    assert checkpoint(run)["images_seen"] == 16
    assert checkpoint(run)["scores"][WAITED] == 1.0
    assert (run / "artifact").is_dir()
    assert "was not better in 1 evaluations" in (run / "run.log").read_text()
    reported = (run / "metrics.json").read_text()
    scores = json.loads(reported)["validation"]
    assert "quality/dog_ssim" in scores
    assert "val/psnr" not in scores  # it is of the weights at 12 images
    assert here(tmp_path, *knobs, "resume=last").code == 0
    assert checkpoint(run)["images_seen"] == 16
    assert json.loads((run / "metrics.json").read_text())["validation"] == scores


def test_waiting_is_counted_from_the_best_score_whichever_way_is_better() -> None:
    for mode, values in (("max", (1.0, 2.0, 1.5, 2.0)), ("min", (-1.0, -2.0, -1.5, -2.0))):
        quality, kept = Quality(1, monitor="quality/x", mode=mode, patience=2), {}  # type: ignore[arg-type]
        counted = []
        for value in values:
            kept = quality._wait(2, kept, {"quality/x": value})
            counted.append(kept[WAITED])
        assert counted == [0.0, 0.0, 1.0, 2.0]
        assert kept[BEST] == values[1]
        assert quality.has_ended(kept)
        assert not Quality(1, monitor="quality/x", patience=3).has_ended(kept)


def test_a_score_that_is_no_number_is_never_the_best() -> None:
    quality = Quality(1, monitor="quality/x", patience=5)
    kept = quality._wait(5, {}, {"quality/x": math.nan})
    assert math.isnan(kept[BEST])
    assert quality._wait(5, kept, {"quality/x": 1.0}) == {BEST: 1.0, WAITED: 0.0}


@pytest.mark.parametrize(
    ("knob", "sentence"),
    [
        ({"budget": 1.5}, r"callbacks\.quality\.budget is a share of run time, at most 1, but got 1\.5"),
        ({"budget": -1}, r"callbacks\.quality\.budget must be a number of at least 0"),
        ({"every": 0}, r"callbacks\.quality\.every must be a whole number"),
        ({"sources": 1}, r"callbacks\.quality\.sources must be a whole number of at least 2"),
        ({"patience": 0}, r"callbacks\.quality\.patience must be a whole number"),
    ],
)
def test_a_wrong_value_is_told_with_its_key(knob: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Quality(**{"every": 8, **knob})


def test_a_misspelt_score_is_told_before_the_first_batch(tmp_path: Path) -> None:
    told = here(tmp_path, *WATCHED, "callbacks.quality.monitor=quality/gian")
    assert told.code == 2
    assert "unknown callbacks.quality.monitor 'quality/gian'; did you mean 'quality/gain'?" in told.err


@pytest.mark.slow
def test_a_resumed_run_has_the_scores_of_one_that_was_not_interrupted(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    other.mkdir()
    knobs = (*WATCHED, *LED, "callbacks.quality.patience=9")
    assert here(one, *knobs).code == 0
    assert train(other, *knobs, *fault("kill", 14)).code == -9
    assert train(other, *knobs, "resume=last").code == 0
    assert drift(newest(one), newest(other)) == []


@pytest.mark.slow
def test_a_signal_in_an_evaluation_waits_for_the_next_batch_and_the_run_resumes_exactly(
    ended: tuple[Ended, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Gauge.evaluate

    def interrupted(self: Gauge, system: Any) -> Any:
        if system.images_seen == 8:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(self, system)

    monkeypatch.setattr(Gauge, "evaluate", interrupted)
    with pytest.raises(SystemExit) as stopped:
        here(tmp_path, *WATCHED, *LED)
    assert stopped.value.code == 128 + signal.SIGTERM
    assert checkpoint(newest(tmp_path))["images_seen"] == 10
    assert here(tmp_path, *WATCHED, *LED, "resume=last").code == 0
    assert drift(ended[1], newest(tmp_path)) == []


@pytest.mark.slow
def test_two_ranks_judge_what_one_would(tmp_path: Path) -> None:
    ranks = ("trainer=ddp", "trainer.devices=2", "trainer.accelerator=cpu", "trainer.batch_size=2")
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir(), two.mkdir()
    assert train(two, *WATCHED, *ranks).code == 0
    assert train(one, *WATCHED, "trainer.batch_size=4").code == 0
    alone, together = (checkpoint(newest(folder))["scores"] for folder in (one, two))
    assert alone == pytest.approx(together, abs=2e-3, rel=2e-3, nan_ok=True)
