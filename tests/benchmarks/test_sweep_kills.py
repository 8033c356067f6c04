"""A sweep is killed while it asks, claims, waits, tells and concludes; nothing is lost or counted twice."""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import sweep_kills


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "TRAINEE"):
        monkeypatch.setenv(name, "")  # which the benchmark sets


@pytest.mark.slow
def test_a_sweep_killed_in_any_part_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    rows = sweep_kills.kills(tmp_path, 5, seed=1)
    assert [(row.times, row.held) for row in rows] == [(1, 1)] * 5


@pytest.mark.slow
def test_a_sweep_killed_between_the_values_of_a_trial_draws_both_afresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(sweep_kills.ROOT))
    monkeypatch.setenv("TRAINEE", "{}")
    for place in ("calm", "killed"):
        (tmp_path / place).mkdir()
    calm, _ = sweep_kills.undisturbed(sweep_kills.plan(tmp_path / "calm" / "sweep", 2, 1))
    own = sweep_kills.plan(tmp_path / "killed" / "sweep", 2, 1)
    assert sweep_kills.killed(own, "drawing a value", 1, 0.0) == -signal.SIGKILL
    assert sweep_kills.holds(own, calm) == ""


def ends(codes: Sequence[int], aims: list[tuple[int, float]]) -> Callable[..., int]:
    """Note what was aimed at, and end as told."""

    def killed(own: Any, phase: str, number: int, delay: float) -> int:
        aims.append((number, delay))
        return codes[len(aims) - 1]

    return killed


def test_a_kill_that_comes_too_late_is_repeated_earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aims: list[tuple[int, float]] = []
    monkeypatch.setattr(sweep_kills, "killed", ends([0, 0, -signal.SIGKILL], aims))
    places = (sweep_kills.plan(tmp_path / str(number), 3, 2) for number in range(9))
    own, code = sweep_kills.landed(places, "concluding", 1, 4.0)
    assert (own.folder, code) == (tmp_path / "2", -signal.SIGKILL)
    assert aims == [(1, 4.0), (1, 2.0), (1, 1.0)]


def test_a_kill_that_never_lands_is_aimed_at_the_beginning_and_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aims: list[tuple[int, float]] = []
    monkeypatch.setattr(sweep_kills, "undisturbed", lambda own: ([], {phase: [1.0] for phase in sweep_kills.PHASES}))
    monkeypatch.setattr(sweep_kills, "killed", ends([0] * 9, aims))
    assert sweep_kills.kills(tmp_path, 1, seed=1) == []
    assert (len(aims), aims[-1]) == (7, (0, 0.0))


def test_a_sweep_that_fails_before_its_kill_is_counted_as_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_kills, "undisturbed", lambda own: ([], {phase: [1.0] for phase in sweep_kills.PHASES}))
    monkeypatch.setattr(sweep_kills, "killed", ends([1], []))
    assert [(row.times, row.held) for row in sweep_kills.kills(tmp_path, 1, seed=1)] == [(1, 0)]
