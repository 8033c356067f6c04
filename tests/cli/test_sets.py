from pathlib import Path

import numpy as np
import pytest
import torch

from ganstyle.cli.sets import Wanted, direction_of, find, unmatched
from ganstyle.errors import DataError
from ganstyle.images import write


def picture(path: Path, seed: int, width: int = 16) -> None:
    write(np.random.default_rng(seed).integers(0, 256, (16, width, 3), dtype=np.uint8), path)


@pytest.fixture
def art(tmp_path: Path) -> Path:
    """A CycleGAN art set: A are paintings, B photographs."""
    root = tmp_path / "monet2photo"
    for place, (folder, count) in enumerate({"trainA": 3, "trainB": 4, "testA": 2, "testB": 5}.items()):
        for number in range(count):
            picture(root / folder / f"{folder}-{number}.png", 10 * place + number)
    return root


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    for place, (folder, count) in enumerate({"train": 3, "val": 2}.items()):
        for number in range(count):
            picture(tmp_path / "pairs" / folder / f"{folder}-{number}.png", 10 * place + number, width=32)
    return tmp_path / "pairs"


def test_an_art_sets_photographs_are_its_b_and_all_its_paintings_the_reference(art: Path) -> None:
    found = find(Wanted(str(art), size=8))
    assert found.sources.stems == tuple(f"testB-{number}" for number in range(5))
    assert found.sources.name == "monet2photo, testB"
    assert found.references.paintings == 5
    assert found.references.name == "all target images, train and test of monet2photo"
    assert find(Wanted(str(art), split="train", size=8)).sources.stems[0] == "trainB-0"
    assert find(Wanted(str(art), direction="AtoB", size=8)).sources.stems == ("testA-0", "testA-1")


@pytest.mark.parametrize(("name", "direction"), [("vangogh2photo", "BtoA"), ("horse2zebra", "AtoB"), ("own", "AtoB")])
def test_the_name_of_a_public_set_tells_its_direction(name: str, direction: str) -> None:
    assert direction_of(name) == direction


def test_pairs_come_with_their_targets(pairs: Path) -> None:
    there, back = (find(Wanted(str(pairs), size=16, direction=direction)) for direction in ("AtoB", "BtoA"))
    assert there.sources.stems == ("val-0", "val-1")
    assert there.sources.paired
    assert there.sources.truth is not None
    assert back.sources.truth is not None
    assert torch.equal(there.sources.pictures, back.sources.truth)
    assert torch.equal(there.sources.truth, back.sources.pictures)
    assert there.references.paintings == 5
    assert torch.equal(there.references.crops[3:], there.sources.truth)


def test_toy_scenes_come_with_the_answer_and_their_paintings_are_references(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganstyle.cli.sets.TOY_TRAINED", 3)
    monkeypatch.setattr("ganstyle.cli.sets.TOY_SCENES", 2)
    found = find(Wanted("toy", limit=2))
    assert found.sources.pictures.shape == (2, 3, 96, 96)
    assert found.sources.truth is not None
    assert not found.sources.paired
    assert found.references.paintings == 3 + 2


def test_a_plain_folder_needs_a_reference(art: Path) -> None:
    photographs = art / "testB"
    found = find(Wanted(str(photographs), reference=art / "testA", size=8))
    assert (len(found.sources), found.references.paintings) == (5, 2)
    assert found.references.name == "testA"
    with pytest.raises(DataError, match="--reference"):
        find(Wanted(str(photographs), size=8))


def test_only_photographs_with_a_result_are_judged_and_no_more_than_asked(art: Path) -> None:
    some = frozenset({"testB-1", "testB-3", "testB-4", "stranger"})
    found = find(Wanted(str(art), size=8, stems=some))
    assert found.sources.stems == ("testB-1", "testB-3", "testB-4")
    assert find(Wanted(str(art), size=8, limit=2)).sources.stems == ("testB-0", "testB-2")
    assert unmatched("theirs", some, found.stems) == [
        "2 of 5 photographs have no result in theirs (the first is testB-0) and 1 of 4 results in theirs have no "
        "photograph (the first is stranger); they take no part."
    ]
    assert unmatched("theirs", found.stems, found.stems) == []
    with pytest.raises(DataError, match="none of the 5 photographs"):
        find(Wanted(str(art), size=8, stems=frozenset({"stranger"})))


def test_a_split_or_folder_that_is_not_there_is_told(art: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no folder valB, only testA, testB, trainA, trainB"):
        find(Wanted(str(art), split="val"))
    with pytest.raises(DataError, match="there is no folder"):
        find(Wanted(str(tmp_path / "nowhere")))
