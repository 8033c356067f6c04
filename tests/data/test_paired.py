from pathlib import Path

import numpy as np
import pytest
import torch
from data.pictures import drawing, fill, save
from PIL import Image

from ganstyle.data.paired import paired
from ganstyle.data.problem import Problem
from ganstyle.errors import ConfigError, DataError
from ganstyle.images import to_tensor, to_uint8


def twin_folders(root: Path, count: int = 12) -> Path:
    """Sources, and their negatives as targets."""
    fill(root / "trainA", count)
    for path in sorted((root / "trainA").iterdir()):
        (root / "trainB").mkdir(exist_ok=True)
        Image.fromarray(255 - np.asarray(Image.open(path))).save(root / "trainB" / path.name)
    return root


def halves(folder: Path, count: int, start: int = 0) -> Path:
    """Pictures with their negatives at their right."""
    folder.mkdir(parents=True)
    for number in range(start, start + count):
        left = drawing(number)
        Image.fromarray(np.concatenate([left, 255 - left], axis=1)).save(folder / f"{number}.png")
    return folder


def pose(root: Path | None, **more: object) -> Problem:
    return paired(root and str(root), **{"resize": None, "crop": 32, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
@pytest.mark.parametrize("layout", ["halves", "twins"])
def test_source_and_target_are_one_scene(tmp_path: Path, layout: str, direction: str) -> None:
    root = twin_folders(tmp_path) if layout == "twins" else halves(tmp_path / "train", 12).parent
    problem = pose(root, direction=direction, view=40)
    for example in [*(problem.train[n] for n in range(30)), *problem.val]:
        assert torch.allclose(example["source"], -example["target"], atol=1e-6)
    sign = 1 if direction == "AtoB" else -1
    originals = [sign * to_tensor(drawing(number)[:, 4:44]) for number in range(12)]
    for example in problem.test:
        assert any(torch.allclose(example["source"], original, atol=1e-6) for original in originals)


def test_an_epoch_shows_every_pair_once_and_epochs_differ(tmp_path: Path) -> None:
    problem = pose(halves(tmp_path / "train", 5).parent, crop=40, flip=False, held_out=0.0)
    epochs = [[round(float(problem.train[n]["source"].mean()), 2) for n in range(k * 5, k * 5 + 5)] for k in range(4)]
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_an_example_depends_on_its_number_alone(tmp_path: Path) -> None:
    root = twin_folders(tmp_path)
    one, other = pose(root), pose(root)
    later = [one.train[n] for n in range(9)][8]
    assert torch.equal(other.train[8]["source"], later["source"])
    assert torch.equal(other.train[8]["seed"], later["seed"])
    assert not torch.equal(pose(root, seed=1).train[8]["source"], later["source"])


def test_held_out_pairs_come_from_their_folder_or_from_the_split(tmp_path: Path) -> None:
    halves(tmp_path / "split" / "train", 20)
    problem = pose(tmp_path / "split")
    assert (len(problem.train), len(problem.test)) == (18, 2)
    halves(tmp_path / "folder" / "train", 20)
    halves(tmp_path / "folder" / "val", 3, start=50)
    problem = pose(tmp_path / "folder", val=2)
    assert (len(problem.train), len(problem.val), len(problem.test)) == (20, 2, 3)
    assert problem.card["counts"] == {"train": 20, "test": 3}


def test_the_card_tells_when_pairs_that_are_held_out_are_exchanged(tmp_path: Path) -> None:
    halves(tmp_path / "train", 3)
    assert pose(tmp_path).card["held_out"] == pose(tmp_path).card["content"]  # three are judged by themselves
    halves(tmp_path / "test", 2, start=50)
    before = pose(tmp_path).card
    (tmp_path / "test" / "51.png").write_bytes((tmp_path / "test" / "50.png").read_bytes())
    after = pose(tmp_path).card
    assert after["content"] == before["content"]
    assert after["held_out"] != before["held_out"]


def test_any_two_twin_folders_will_do(tmp_path: Path) -> None:
    twin_folders(tmp_path)
    problem = pose(None, source=str(tmp_path / "trainB"), target=str(tmp_path / "trainA"), direction="BtoA")
    assert (
        np.abs(to_uint8(problem.test[0]["source"]).astype(int) + to_uint8(problem.test[0]["target"]) - 255).max() <= 1
    )
    assert len(problem.train) == 11


def test_the_card_of_two_named_folders_tells_the_direction_that_is_trained(tmp_path: Path) -> None:
    named = {"source": str(twin_folders(tmp_path) / "trainA"), "target": str(tmp_path / "trainB")}
    for root, direction in ((None, "BtoA"), (tmp_path, "AtoB")):
        problem = pose(root, direction=direction, crop=40, **({} if root else named))
        assert problem.card["direction"] == "AtoB"
        assert torch.equal(problem.test[0]["source"], pose(tmp_path, crop=40).test[0]["source"])
    swapped = pose(None, source=named["target"], target=named["source"])
    assert swapped.card["direction"] == pose(tmp_path, direction="BtoA").card["direction"] == "BtoA"


def test_the_truth_is_the_target(tmp_path: Path) -> None:
    problem = pose(twin_folders(tmp_path))
    assert problem.card["known_answer"]
    assert torch.equal(problem.val[0]["truth"], problem.val[0]["target"])


def test_twins_without_their_like_are_refused_by_name(tmp_path: Path) -> None:
    (twin_folders(tmp_path) / "trainB" / "004.png").unlink()
    with pytest.raises(DataError, match=r"12 pictures and .*trainB 11, and 1 of them .* the first being 004"):
        pose(tmp_path)


@pytest.mark.parametrize(("alone", "lacking"), [("testA", "testB"), ("valB", "valA")])
def test_a_folder_to_be_held_out_without_its_twin_is_refused(tmp_path: Path, alone: str, lacking: str) -> None:
    save(twin_folders(tmp_path) / alone / "900.png", 900)
    with pytest.raises(DataError, match=f"{alone} has no twin .*{lacking}; add it, or rename"):
        pose(tmp_path)


def test_twins_that_are_held_out_have_one_name(tmp_path: Path) -> None:
    for name, seed in (("testA", 900), ("testB", 901), ("valA", 902)):
        save(twin_folders(tmp_path) / name / "900.png", seed)
    assert len(pose(tmp_path).test) == 1


def test_a_test_folder_beside_one_of_two_named_folders_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(twin_folders(tmp_path) / "testA" / "900.png", 900)
    (tmp_path / "trainB").rename(tmp_path / "paintings")
    problem = pose(None, source=str(tmp_path / "trainA"), target=str(tmp_path / "paintings"))
    assert len(problem.train) == 11
    assert "testA is not held out: " in caplog.text


def test_twins_of_unequal_size_are_refused_by_name(tmp_path: Path) -> None:
    save(twin_folders(tmp_path) / "trainB" / "004.png", 4, height=41)
    with pytest.raises(DataError, match=r"004\.png has 48 x 40 pixels but its twin .*004\.png has 48 x 41"):
        pose(tmp_path)


def test_an_ambiguous_twin_is_refused(tmp_path: Path) -> None:
    save(twin_folders(tmp_path) / "trainB" / "004.jpg", 4)
    with pytest.raises(DataError, match="the same stem"):
        pose(tmp_path)


def test_a_file_that_cannot_be_halved_is_refused(tmp_path: Path) -> None:
    save(halves(tmp_path / "train", 3) / "odd.png", 0, width=47)
    with pytest.raises(DataError, match=r"odd\.png is 47 pixels wide"):
        pose(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({}, DataError, r"needs data\.root"),
        ({"source": "."}, DataError, r"both data\.source and data\.target"),
        ({"root": "data/maps"}, DataError, "ganstyle fetch maps"),
        ({"root": ".", "direction": "left"}, ConfigError, "unknown data.direction"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict[str, str], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        paired(**arguments)  # type: ignore[arg-type]
