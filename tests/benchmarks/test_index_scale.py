"""The index of a small collection is measured as that of a large one is."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import index_scale
from ganstyle.data.index import Index

ROWS = 5000


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("scale") / "index"
    index_scale.built(at, ROWS)
    return at


@pytest.fixture(scope="module")
def alone(index: Path) -> dict[str, Any]:
    return index_scale.child(index, 0, 0)


def test_a_row_is_what_was_indexed(index: Path) -> None:
    opened = Index(index, index_scale.Synthetic())
    assert len(opened) == ROWS
    assert opened.content(4321).endswith(opened.paths[4321].encode())
    assert len(np.unique(opened.hashes)) == ROWS


@pytest.mark.slow
def test_opening_takes_no_time_and_next_to_no_memory(alone: dict[str, Any]) -> None:
    _, of_the_processor, _ = alone[index_scale.TOLD[0]]
    assert of_the_processor < 1
    assert alone["memory"]["opening took (resident)"] < 20
    assert alone[index_scale.TOLD[1]][0] == 4500


@pytest.mark.slow
def test_a_process_that_begins_in_the_middle_goes_on_with_the_same_pictures(index: Path, alone: dict[str, Any]) -> None:
    resumed = index_scale.child(index, index_scale.HALF, 1)
    assert len(alone["places"]) == 2 * index_scale.HALF
    assert resumed["places"] == alone["places"][index_scale.HALF :]
    assert resumed["memory"]["of a worker after its examples (its own)"] < 100


def test_a_results_file_says_what_more_rows_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {name: [1.0] for name in index_scale.TOLD}
    places = list(range(2 * index_scale.HALF))

    def child(at: Path, start: int, workers: int) -> dict[str, Any]:
        return {**told, "memory": {"most": 30.0 if at.name == "large" else 10.0}, "places": places[start:]}

    monkeypatch.setattr(index_scale, "child", child)
    monkeypatch.setattr("sys.argv", ["index_scale", "--rows", "2000", "--output", str(tmp_path / "found.json")])
    index_scale.main()
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["memory, MiB, with 2,000 rows (and what 1,000 rows take less)"] == {"most": [30.0, 20.0]}
    assert set(found["examples 2,000 to 4,000 of a run"].values()) == {True}
