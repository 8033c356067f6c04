"""Every name of the watch has a fault planted for it, every method a healthy game, and what is planted is named."""

from pathlib import Path

import pytest

from benchmarks import planted_faults
from benchmarks.planted_faults import FAULTS, HEALTHY, Task, play, report, tasks
from benchmarks.toy_game import METHODS, VARIANTS, Game, composed
from ganstyle.training.folder import conf_folder
from ganstyle.training.watch.verdicts import NAMES


def test_every_name_is_accepted_for_a_fault_and_only_names_are() -> None:
    assert {name for fault in FAULTS.values() for name in fault.accepted} == set(NAMES)


def test_every_name_has_a_fault_that_must_be_called_so() -> None:
    alone = {fault.accepted[0] for fault in FAULTS.values() if len(fault.accepted) == 1}
    assert alone == set(NAMES)


def test_every_method_of_conf_is_played_or_said_to_be_a_variant_of_one_that_is() -> None:
    options = {path.stem for path in (conf_folder() / "method").glob("*.yaml")}
    assert options == METHODS.keys() | VARIANTS.keys()
    assert set(VARIANTS.values()) <= METHODS.keys()


def test_a_fault_is_planted_in_methods_that_are_played_each_in_its_turn() -> None:
    planted = tasks(range(200, 220), range(200, 202))
    for name, fault in FAULTS.items():
        assert {task.method for task in planted if task.fault == name} == set(fault.methods) <= METHODS.keys()
    assert [task.method for task in planted if task.fault == HEALTHY] == [*METHODS] * 2


@pytest.mark.parametrize("method", METHODS)
def test_every_game_composes_and_takes_a_step(method: str) -> None:
    game = Game(composed(method, 1, seed=200))
    assert [system.images_seen for system in game.steps()] == [4]


@pytest.mark.parametrize(("fault", "method"), [("weight that breaks", "pix2pix")])
def test_an_unknown_fault_is_no_healthy_run(fault: str, method: str) -> None:
    with pytest.raises(KeyError):
        play(Task(fault, method, 200))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "method"),
    [
        ("generator of one color a picture", "pix2pix"),
        ("terms of the generator that weigh x 1000 from the middle on", "cut"),
        ("weight of the generator that becomes no number", "cyclegan"),
        ("data set of one picture", "pix2pix"),
    ],
)
def test_a_planted_fault_is_named(fault: str, method: str) -> None:
    run = play(Task(fault, method, 200))
    assert set(FAULTS[fault].accepted) & run["named"].keys()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["pix2pix", "distill"])
def test_a_healthy_game_has_no_verdict(method: str) -> None:
    assert play(Task(HEALTHY, method, 200))["named"] == {}


def test_the_report_counts_what_is_named_what_is_missed_and_false_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "frozen generator"
    monkeypatch.setattr(planted_faults, "FAULTS", {name: FAULTS[name]})
    runs = [
        {"fault": name, "method": "cut", "seed": 1, "named": {"generator-won": 50, "discriminator-won": 100}},
        {"fault": name, "method": "cut", "seed": 2, "named": {"generator-won": 50}},
        {"fault": HEALTHY, "method": "cut", "seed": 1, "named": {}},
        {"fault": HEALTHY, "method": "cut", "seed": 2, "named": {"mode-collapse": 75}},
    ]
    told = report(runs)
    assert told["named"] == "1 of 2"
    assert told["false alarms"] == "1 of 2"
    row = told["faults"][name]
    assert row["missed"] == ["cut 2"]
    assert row["also called before"] == {"generator-won": 2}
    assert told["healthy"]["cut"]["verdicts"] == {"seed 2": {"mode-collapse": 75}}


def test_runs_that_were_kept_are_not_played_again(tmp_path: Path) -> None:
    kept = tmp_path / "runs.jsonl"
    kept.write_text('{"fault": "healthy", "method": "cut", "seed": 1, "named": {"x": 1}, "history": []}\n')
    found = planted_faults.played([Task(HEALTHY, "cut", 1)], 1, kept)
    assert [run["named"] for run in found] == [{"x": 1}]
