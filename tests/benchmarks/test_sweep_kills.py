"""A sweep is killed while it asks, claims, waits, tells and concludes; nothing is lost or counted twice."""

from pathlib import Path

import pytest

from benchmarks import sweep_kills


@pytest.mark.slow
def test_a_sweep_killed_in_any_part_ends_as_if_it_had_not_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "TRAINEE"):
        monkeypatch.setenv(name, "")  # which the benchmark sets
    rows = sweep_kills.kills(tmp_path, 5, seed=1)
    assert [(row.times, row.held) for row in rows] == [(1, 1)] * 5
