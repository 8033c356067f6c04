from pathlib import Path

import numpy as np
import pytest

from ganstyle import artifact
from ganstyle.backends.likeness import drawn
from ganstyle.compress import ladder
from ganstyle.compress.ladder import Goal, Rung, Step, goals, measured, plain, timed
from ganstyle.nn.light import Light


def rung(name: str, parameters: int, multiply_adds: float, milliseconds: float) -> Rung:
    return Rung(name, name, parameters, multiply_adds, 1, milliseconds, 0.0, 0.0)


def test_a_factor_asks_for_that_many_parameters_and_a_share_of_it_elsewhere() -> None:
    reached = goals(rung("teacher", 1000, 800.0, 40.0), rung("int8", 100, 110.0, 9.0), 10.0)
    assert [(goal.wanted, goal.reached, goal.met) for goal in reached] == [
        (10, 10, True),
        (8, pytest.approx(800 / 110), False),
        (4, pytest.approx(40 / 9), True),
    ]


def test_a_network_is_at_no_distance_from_itself_and_a_smaller_one_is_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "RUNS", 1)
    for name, channels in (("teacher", 8), ("student", 4)):
        artifact.save(Light(blocks=1, channels=channels), tmp_path / name)
    steps = [Step(name, tmp_path / name, tmp_path / name) for name in ("teacher", "student")]
    first, second = measured(steps, [drawn(32, 32, 0), drawn(32, 32, 1)])
    assert first.distance == 0
    assert second.distance > 0
    assert second.parameters < first.parameters
    assert second.multiply_adds < first.multiply_adds
    assert second.bytes < first.bytes
    report = plain([first, second], [Goal("as fast", 2.0, 3.0)])
    assert report["ladder"][1]["name"] == "student"
    assert report["goals"] == [{"what": "as fast", "wanted": 2.0, "reached": 3.0, "met": True}]


def test_ways_are_timed_in_turns_and_the_first_turn_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    moment = 0.0

    def clock() -> float:
        """Every look at it is 0.1 seconds after the one before; the first ones, 5."""
        nonlocal moment
        moment += 5.0 if len(called) < 2 else 0.1
        return moment

    monkeypatch.setattr("ganstyle.compress.ladder.time.perf_counter", clock)

    def way(name: str) -> ladder.Compute:
        def compute(images: np.ndarray, mixtures: object) -> np.ndarray:
            called.append(name)
            return images

        return compute  # type: ignore[return-value]

    assert timed({"one": way("one"), "other": way("other")}, 32) == {"one": 100.0, "other": 100.0}
    assert called == ["one", "other"] * 8
