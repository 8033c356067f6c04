"""Loading is timed on a few drawn pictures; what is said of it follows from the times."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import data_speed


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return data_speed.write_jpegs(tmp_path_factory.mktemp("pictures") / "jpeg", 2, ())


def test_every_way_to_load_gives_a_crop(files: list[Path], tmp_path: Path) -> None:
    arms = data_speed.arms(files, tmp_path / "cache")
    loaded = {name: load(1) for name, load in arms.items()}
    assert {tuple(crop.shape) for crop in loaded.values()} == {(3, 256, 256)}
    *scaled, as_bytes = loaded.values()
    assert all(crop.abs().max() <= 1 for crop in scaled)
    assert as_bytes.dtype == torch.uint8


def test_arms_take_turns_and_the_first_round_does_not_count() -> None:
    calls = list[tuple[str, int]]()
    loads = {name: lambda number, name=name: calls.append((name, number)) for name in "ab"}
    seconds = data_speed.race(loads, count=2, rounds=2)
    warm, first, second = calls[:4], calls[4:8], calls[8:]
    assert warm == first == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert second == [("a", 2), ("a", 3), ("b", 2), ("b", 3)]
    assert {name: len(times) for name, times in seconds.items()} == {"a": 2, "b": 2}


def test_ratios_are_those_of_each_round() -> None:
    assert data_speed.ratios({"first": [4.0, 6.0, 9.0], "other": [2.0, 2.0, 1.0]}) == {"other": [3.0, 2.0, 9.0]}


def test_a_picture_in_its_own_size_has_no_distance(files: list[Path]) -> None:
    assert data_speed.distance(files[0].read_bytes(), 1.0) > 100


def test_what_is_loaded_is_near_a_whole_decode(files: list[Path]) -> None:
    found = [*data_speed.decibels_as_loaded(files), *data_speed.decibels(3.3, (), 2)]
    assert len(found) == 4
    assert min(found) > 30


def test_a_worker_hands_over_pairs(files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_speed, "BATCHES", (2,))
    rates = data_speed.loader_rates(files, tmp_path / "cache", 40)
    assert rates.keys() == {"with a cache, batches of 2", "without a cache, batches of 2"}
    assert min(rates.values()) > 0


def test_photographs_are_named_by_their_folders(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("kodak/1.png", "kodak/2.png", "mine/3.jpg")]
    assert data_speed.worded(places) == "kodak/*.png mine/*.jpg"


def test_photographs_take_turns(tmp_path: Path) -> None:
    for shade in (0, 255):
        Image.fromarray(np.full((4, 4, 3), shade, np.uint8)).save(tmp_path / f"{shade}.png")
    paths = [tmp_path / "0.png", tmp_path / "255.png"]
    assert [int(data_speed.picked(paths, number).max()) for number in range(4)] == [0, 255, 0, 255]
