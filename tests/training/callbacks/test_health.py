"""A run is watched, what is seen is written down, and a collapse is acted on as asked."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image as Pillow
from training.faults import Crash
from training.game import checkpoint, drift, fault, here, newest

from ganstyle.metrics.recorded import recorded
from ganstyle.training.watch.refuge import Refuge

SOON = (
    "callbacks.health.every=2",
    "callbacks.health.sample_every=1",
    "callbacks.health.limits.warm_up=0",
    "callbacks.health.limits.patience=1",
)
BAD = ("callbacks.health.collapses=[data-starved]", "callbacks.health.limits.distinct=0.9")
"""With six pictures, the first one seen twice is a collapse."""


def told(run: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((run / "health.json").read_text())
    return said


def names(run: Path) -> list[str]:
    return [verdict["name"] for verdict in told(run)["verdicts"]]


def test_a_run_that_is_well_says_so(tmp_path: Path) -> None:
    ended = here(tmp_path)
    assert ended.code == 0, ended.err
    assert told(newest(tmp_path)) == {"verdicts": [], "rollbacks": 0, "learning_rate_factor": 1.0}
    assert "the watch saw" not in ended.err


def test_the_watch_changes_nothing_of_what_is_trained(tmp_path: Path) -> None:
    for folder, knobs in (("watched", SOON), ("alone", ("callbacks.health=null",))):
        ended = here(tmp_path / folder, *knobs)
        assert ended.code == 0, ended.err
    found = drift(newest(tmp_path / "watched"), newest(tmp_path / "alone"))
    assert {place.rpartition("/witness")[1] for place in found} <= {"/witness"} or found == ["/ranks/0"]


def test_a_verdict_goes_to_the_log_the_curves_and_the_folder_with_its_pictures(tmp_path: Path) -> None:
    ended = here(tmp_path, *SOON, *BAD, "callbacks.health.on_collapse=warn")
    assert ended.code == 0, ended.err
    run = newest(tmp_path)
    verdict = told(run)["verdicts"][0]
    assert verdict["name"] == "data-starved"
    assert verdict["values"]["distinct"] < verdict["thresholds"]["distinct"] == 0.9
    assert verdict["action"] == "warned"
    assert f"the watch saw data-starved at {verdict['images_seen']} images (distinct " in (run / "run.log").read_text()
    with Pillow.open(run / verdict["pictures"]) as picture:
        assert picture.size[0] >= 3 * 32
    saved = recorded(run)
    assert {"health/real", "health/spread", "health/gradient/generator", "health/data-starved"} <= set(saved.curves)
    assert [event.name for event in saved.events] == names(run)


def test_a_collapse_stops_the_run_in_one_sentence_where_asked(tmp_path: Path) -> None:
    ended = here(tmp_path, *SOON, *BAD, "callbacks.health.on_collapse=stop")
    assert ended.code == 2
    assert "train.py: the watch saw data-starved at" in ended.err
    assert told(newest(tmp_path))["verdicts"][0]["action"] == "stopped"


def test_a_run_that_collapses_again_and_again_is_rolled_back_twice_and_then_stopped(tmp_path: Path) -> None:
    ended = here(tmp_path, *SOON, *BAD, "callbacks.health.on_collapse=roll_back")
    assert ended.code == 2
    said = told(newest(tmp_path))
    assert [verdict["action"] for verdict in said["verdicts"]] == ["rolled back, learning rates x 0.5"] * 2 + [
        "stopped"
    ]
    assert (said["rollbacks"], said["learning_rate_factor"]) == (2, 0.25)


def test_a_loss_that_is_no_number_is_named_before_the_run_stops(tmp_path: Path) -> None:
    ended = here(tmp_path, *fault("blow_up", 12))
    assert ended.code == 2
    assert "is not finite" in ended.err
    run = newest(tmp_path)
    assert names(run) == ["non-finite"]
    verdict = told(run)["verdicts"][0]
    assert verdict["action"] == "stopped"
    assert verdict["values"]
    assert set(verdict["values"].values()) <= {"nan", "inf", "-inf"}
    assert all(name in verdict["advice"] for name in verdict["values"])
    assert checkpoint(run)["images_seen"] == 8


def test_a_verdict_of_a_step_whose_pictures_nobody_saw_names_no_picture(tmp_path: Path) -> None:
    seldom = "callbacks.health.sample_every=1000"
    with pytest.raises(Crash):
        here(tmp_path, seldom, "+callbacks.cut._target_=training.faults.Cut", "+callbacks.cut.at=12")
    ended = here(tmp_path, seldom, *fault("blow_up", 12), "resume=last")
    assert ended.code == 2
    verdict = told(newest(tmp_path))["verdicts"][0]
    assert verdict["name"] == "non-finite"
    assert verdict["pictures"] is None
    assert not (newest(tmp_path) / "health").exists()


ONCE = (
    *SOON,
    "callbacks.health.on_collapse=roll_back",
    "+callbacks.once._target_=training.trouble.Once",
    "+callbacks.once.at=12",
)


@pytest.fixture(scope="module")
def rolled_back(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that collapsed once and then went on to its end."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("runs")
    ended = here(folder, *ONCE)
    assert ended.code == 0, ended.err
    return newest(folder)


def test_a_run_that_is_rolled_back_goes_on_to_its_end_with_lower_learning_rates(rolled_back: Path) -> None:
    state = checkpoint(rolled_back)
    assert (state["images_seen"], state["rollbacks"], state["slowdown"]) == (24, 1, 0.5)
    assert all(torch.isfinite(weight).all() for weight in state["networks"]["generator"].values())
    actions = {verdict["name"]: verdict["action"] for verdict in told(rolled_back)["verdicts"]}
    assert actions["non-finite"] == "rolled back, learning rates x 0.5"
    rates = recorded(rolled_back).curves["lr/generator"]
    assert max(rates.values) == pytest.approx(0.0001)


def test_a_run_cut_off_after_a_rollback_ends_as_if_it_had_not_been(rolled_back: Path, tmp_path: Path) -> None:
    with pytest.raises(Crash):
        here(tmp_path, *ONCE, "+callbacks.cut._target_=training.faults.Cut", "+callbacks.cut.at=14")
    ended = here(tmp_path, *ONCE, "resume=last")
    assert ended.code == 0, ended.err
    assert drift(rolled_back, newest(tmp_path)) == []
    assert told(newest(tmp_path)) == told(rolled_back)


def test_a_refuge_takes_what_has_proved_itself_and_never_what_was_ill_since(tmp_path: Path) -> None:
    refuge = Refuge(tmp_path, stride=4, probation=2)
    kept = []
    for look, well in enumerate([True, True, True, True, True, False, True, True, True, True]):
        refuge.visit(look, well, lambda path: path.touch())
        refuge.tidy()
        kept.append((refuge.proved, sorted(path.name for path in tmp_path.iterdir())))
    assert [proved for proved, _ in kept] == [0, 0, 0, 0, 2, 2, 2, 2, 6, 6]
    assert kept[2] == (0, ["healthy_000000.ckpt", "healthy_000002.ckpt"])
    assert kept[4] == (2, ["healthy_000002.ckpt"])
    assert kept[7] == (2, ["healthy_000002.ckpt", "healthy_000006.ckpt"])


def test_rolling_back_needs_checkpoints(tmp_path: Path) -> None:
    ended = here(tmp_path, "callbacks.health.on_collapse=roll_back", "callbacks.checkpoints=null")
    assert ended.code == 2
    assert "callbacks.health.on_collapse=roll_back needs callbacks.checkpoints to go back to." in ended.err


@pytest.mark.parametrize(
    ("knob", "message"),
    [
        (
            "callbacks.health.on_collapse=rollback",
            "callbacks.health.on_collapse cannot be 'rollback'; did you mean 'roll",
        ),
        ("callbacks.health.collapses=[mode_collapse]", "cannot be 'mode_collapse'; did you mean 'mode-collapse'"),
        ("callbacks.health.every=0", "callbacks.health.every must be a whole number of at least 1, but got 0."),
    ],
)
def test_a_wrong_setting_is_told_by_its_key(tmp_path: Path, knob: str, message: str) -> None:
    ended = here(tmp_path, knob)
    assert ended.code == 2
    assert message in ended.err
