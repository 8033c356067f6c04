from pathlib import Path

import pytest
import torch
from data.pictures import fill

from ganstyle.data.photographs import photographs
from ganstyle.errors import DataError


def test_an_example_is_one_photograph_as_source_and_target_always_the_same_at_its_number(tmp_path: Path) -> None:
    fill(tmp_path / "mine", 12, 0, 40, 50)
    problem = photographs(str(tmp_path / "mine"), resize=36, crop=16, scales=(1, 2), view=24)
    again = photographs(str(tmp_path / "mine"), resize=36, crop=16, scales=(1, 2), view=24)
    for number in (0, 5, 40):
        example = problem.train[number]
        assert example["source"].shape == (3, 16, 16)
        assert torch.equal(example["source"], example["target"])
        assert torch.equal(example["source"], again.train[number]["source"])
    assert not torch.equal(problem.train[0]["source"], problem.train[11]["source"])
    assert problem.val[0]["source"].shape == (3, 24, 24)


def test_a_tenth_is_held_out_unless_there_is_a_folder_for_tests(tmp_path: Path) -> None:
    fill(tmp_path / "trainB", 20, 0, 30, 30)
    assert photographs(str(tmp_path / "trainB"), crop=16, view=16).card["counts"] == {"source": 18, "test": 2}
    fill(tmp_path / "testB", 3, 100, 30, 30)
    problem = photographs(str(tmp_path / "trainB"), crop=16, view=16, val=2)
    assert problem.card["counts"] == {"source": 20, "test": 3}
    assert len(problem.val) == 2
    (tmp_path / "testB" / "101.png").write_bytes((tmp_path / "testB" / "100.png").read_bytes())
    after = photographs(str(tmp_path / "trainB"), crop=16, view=16).card
    assert after["content"] == problem.card["content"]
    assert after["held_out"] != problem.card["held_out"]


def test_without_a_folder_it_says_what_to_give() -> None:
    with pytest.raises(DataError, match=r"give data\.folder=FOLDER"):
        photographs()
