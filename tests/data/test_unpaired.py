import shutil
from pathlib import Path

import pytest
import torch
from data.pictures import fill
from torch.utils.data import DataLoader

from ganstyle.data.files import PathFiles
from ganstyle.data.problem import Problem, scaled
from ganstyle.data.unpaired import unpaired
from ganstyle.errors import ConfigError, DataError


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """7 + 20 pictures to train on, 2 + 3 to test."""
    for start, (name, count) in enumerate([("trainA", 7), ("trainB", 20), ("testA", 2), ("testB", 3)]):
        fill(tmp_path / name, count, start=100 * start)
    return tmp_path


def pose(root: Path | None, **more: object) -> Problem:
    return unpaired(root and str(root), **{"crop": 24, **more})  # type: ignore[arg-type]


def test_the_epoch_is_as_long_as_the_longer_side(collection: Path) -> None:
    problem = pose(collection)
    assert (len(problem.train), len(problem.val), len(problem.test)) == (20, 2, 2)
    assert problem.card["counts"] == {"source": 7, "target": 20, "test": 2}


def test_the_direction_says_which_side_is_the_source(collection: Path) -> None:
    forth, back = (pose(collection, direction=direction, view=24) for direction in ("AtoB", "BtoA"))
    assert torch.equal(forth.test[1]["source"], back.test[1]["target"])
    assert torch.equal(forth.test[1]["target"], back.test[1]["source"])
    assert (len(forth.test), len(back.test)) == (2, 3)


def whole(problem: Problem, side: str, numbers: range) -> list[bytes]:
    return [problem.train[number][side].numpy().tobytes() for number in numbers]  # type: ignore[literal-required]


def test_either_side_goes_through_permutations_of_its_own(tmp_path: Path) -> None:
    fill(tmp_path / "trainA", 4, height=24, width=24)
    fill(tmp_path / "trainB", 6, start=50, height=24, width=24)
    problem = pose(tmp_path, flip=False, held_out=0.0)
    for epoch in range(3):
        assert len(set(whole(problem, "source", range(epoch * 4, epoch * 4 + 4)))) == 4
        assert len(set(whole(problem, "target", range(epoch * 6, epoch * 6 + 6)))) == 6
    assert whole(problem, "target", range(6)) != whole(problem, "target", range(6, 12))


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a machine of one core
def test_workers_change_neither_order_nor_augmentation(collection: Path) -> None:
    problem = pose(collection)
    alone, crowd = (
        list(DataLoader(problem.train, batch_sampler=[[0, 1, 2], [30, 31], [7, 99]], num_workers=workers))  # type: ignore[arg-type]
        for workers in (0, 2)
    )
    for batch, other in zip(alone, crowd, strict=True):
        assert all(torch.equal(batch[key], other[key]) for key in batch)


def test_two_folders_named_by_the_user_take_the_place_of_the_root(tmp_path: Path) -> None:
    photos, paintings = fill(tmp_path / "photos", 30), fill(tmp_path / "paintings", 8, start=50)
    problem = pose(None, source=str(photos), target=str(paintings))
    assert problem.card["counts"] == {"source": 27, "target": 8, "test": 3}
    again = pose(Path("data/vangogh2photo"), direction="BtoA", source=str(photos), target=str(paintings))
    assert torch.equal(problem.train[5]["source"], again.train[5]["source"])


def test_one_folder_may_replace_one_side(collection: Path, tmp_path: Path) -> None:
    problem = pose(collection, target=str(fill(tmp_path / "other", 4, start=900)))
    assert problem.card["counts"] == {"source": 7, "target": 4, "test": 2}


def test_large_paintings_are_seen_at_several_scales(tmp_path: Path) -> None:
    fill(tmp_path / "trainA", 1)
    fill(tmp_path / "trainB", 1, height=96, width=120)
    near = pose(tmp_path, flip=False)
    far = pose(tmp_path, flip=False, target_scales=[4, 4])
    detail = [
        torch.stack([problem.train[n]["target"] for n in range(20)]).diff(dim=-1).abs().mean()
        for problem in (near, far)
    ]
    assert detail[1] > 2 * detail[0]  # four times the steps, averaged


def test_small_pictures_are_enlarged_to_the_crop(tmp_path: Path) -> None:
    fill(tmp_path / "trainA", 2, height=10, width=15)
    fill(tmp_path / "trainB", 2)
    problem = pose(tmp_path, crop=20)
    assert problem.train[0]["source"].shape == (3, 20, 20)
    assert problem.val[0]["source"].shape == (3, 20, 20)


def test_the_card_does_not_depend_on_where_the_data_lies(
    collection: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    moved = tmp_path_factory.mktemp("elsewhere") / collection.name
    shutil.copytree(collection, moved)
    assert pose(moved).card == pose(collection).card
    assert str(moved.parent) not in str(pose(moved).card)


def test_the_card_tells_when_pictures_that_are_held_out_are_exchanged(collection: Path) -> None:
    before = pose(collection).card
    shutil.copy(collection / "testB" / "300.png", collection / "testB" / "301.png")
    after = pose(collection).card
    assert before["content"] == after["content"]
    assert before["held_out"]["source"] == after["held_out"]["source"]
    assert before["held_out"]["target"] != after["held_out"]["target"]


def test_what_is_judged_by_what_it_trains_on_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = list[int]()
    identity = PathFiles.identity
    monkeypatch.setattr(PathFiles, "identity", lambda files: (hashed.append(len(files)), identity(files))[1])
    card = pose(None, source=str(fill(tmp_path / "a", 3)), target=str(fill(tmp_path / "b", 4, start=50))).card
    assert card["held_out"] == card["content"]
    assert hashed == [3, 4]


def test_a_missing_collection_is_told_in_one_sentence() -> None:
    with pytest.raises(DataError, match=r"no folder data/vangogh2photo: .*https://.*`ganstyle fetch vangogh2photo`"):
        pose(Path("data/vangogh2photo"))


def test_a_paired_collection_is_recognized(tmp_path: Path) -> None:
    fill(tmp_path / "train", 2)
    with pytest.raises(DataError, match=r"no folder trainA.*it looks paired: say data=paired"):
        pose(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({}, DataError, r"needs data\.root"),
        ({"root": ".", "direction": "up"}, ConfigError, "unknown data.direction 'up'"),
        ({"target_scales": [1, 2, 3]}, ConfigError, "two numbers"),
        ({"crop": 0}, ConfigError, r"data\.crop"),
    ],
)
def test_what_does_not_fit_is_refused(
    collection: Path, arguments: dict[str, object], error: type[Exception], words: str
) -> None:
    root = {"root": str(collection)} if arguments and "root" not in arguments else {}
    with pytest.raises(error, match=words):
        unpaired(**{**root, **arguments})  # type: ignore[arg-type]


def test_real_collections_open(shared_data: Path | None) -> None:
    if shared_data is None:
        return
    folders = {"source": str(shared_data / "kodak"), "target": str(shared_data / "paintings/vangogh")}
    problem = unpaired(**folders, crop=128, source_resize=160, target_resize=512, target_scales=[1, 4], val=2)
    assert problem.card["counts"] == {"source": 22, "target": 8, "test": 2}
    assert 0.1 < float(problem.train[0]["target"].std()) < 1


def test_examples_as_bytes_are_the_examples(collection: Path) -> None:
    problem = pose(collection)
    for number in (0, 41):
        raw, example = problem.train.in_bytes(number), problem.train[number]  # type: ignore[attr-defined]
        assert raw["source"].dtype == torch.uint8
        assert all(torch.equal(scaled(raw)[key], example[key]) for key in example)  # type: ignore[literal-required]


def test_a_cache_changes_no_example(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    plain = pose(collection, source_resize=30, target_scales=[1, 2])
    for limit in (64.0, 1e-5):  # all pictures, and a few of them
        at = str(tmp_path_factory.mktemp("cache"))
        cached = pose(collection, source_resize=30, target_scales=[1, 2], cache=at, cache_limit=limit)
        for number in range(0, 40, 3):
            pair = plain.train[number], cached.train[number]
            assert all(torch.equal(pair[0][key], pair[1][key]) for key in pair[0])  # type: ignore[literal-required]
    assert plain.card == cached.card
