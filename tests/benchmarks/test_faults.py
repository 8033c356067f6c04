"""Runs are killed and harmed in every way that the benchmark knows; nothing is lost."""

import signal
from pathlib import Path

import pytest

from benchmarks import faults, loaded_run, lost_ranks
from benchmarks.mishaps import Ended, paint
from benchmarks.single_faults import OTHERS, Calm


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Calm:
    return faults.undisturbed(tmp_path_factory.mktemp("calm") / "run")


@pytest.mark.slow
def test_a_run_killed_in_any_phase_ends_with_the_same_bits(tmp_path: Path, calm: Calm) -> None:
    rows = faults.kills(tmp_path, calm, 10, seed=1)
    assert [row.fault.removeprefix("kill -9 in ") for row in rows] == [
        name for name, calls in calm.seconds.items() if calls
    ]
    assert [(row.times, row.held) for row in rows] == [(2, 2)] * 5


@pytest.mark.slow
def test_a_run_with_everything_on_killed_in_any_phase_ends_with_the_same_bits(tmp_path: Path) -> None:
    calm = faults.undisturbed(tmp_path / "calm", loaded_run.words)
    watched = {**calm.seconds, **{phase: [] for phase in ("training", "checkpoint write", "validation", "conclusion")}}
    rows = faults.kills(tmp_path, calm._replace(seconds=watched), 4, 1, loaded_run.words)
    assert [(row.times, row.held) for row in rows] == [(1, 1)] * 4


def test_a_run_that_ends_before_its_kill_is_killed_earlier_in_a_new_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aims = []

    def killed(place: Path, phase: str, call: int, delay: float) -> Ended:
        aims.append((place.name, call, delay))
        return Ended(0 if delay > 1 else -signal.SIGKILL, "")

    monkeypatch.setattr(faults, "killed", killed)
    shot = faults.landed(tmp_path, faults.small, "conclusion", 0, 2.0)
    assert aims == [("0", 0, 2.0), ("1", 0, 1.0)]
    assert (shot.place, shot.ended.code) == (tmp_path / "1", -signal.SIGKILL)
    assert (shot.place / "source").is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("fault", OTHERS, ids=lambda fault: fault.__name__)
def test_every_other_fault_ends_as_it_should(tmp_path: Path, calm: Calm, fault: object) -> None:
    paint(tmp_path / "run")
    row = fault(tmp_path / "run", calm)  # type: ignore[operator]
    assert row.held, row


@pytest.fixture(scope="module")
def calm_pair(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("pair") / "run"
    paint(folder)
    return lost_ranks.undisturbed(folder)


@pytest.mark.slow
@pytest.mark.parametrize(("phase", "on"), [("training", 1), ("validation", 0), ("beginning", 1)])
def test_a_run_that_loses_a_process_ends_in_30_seconds_and_resumes_exactly(
    tmp_path: Path, calm_pair: str, phase: str, on: int
) -> None:
    paint(tmp_path / "run")
    row = lost_ranks.lost(tmp_path / "run", phase, on, calm_pair)
    assert row.held, row
