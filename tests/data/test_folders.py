import shutil
from pathlib import Path

import pytest
from data.pictures import fill, save

from ganstyle.data.folders import content_hash, fingerprint, held_out_folder, pictures_in, sides, split, spread
from ganstyle.errors import ConfigError, DataError


def test_pictures_are_found_in_subfolders_in_the_order_of_their_names(tmp_path: Path) -> None:
    save(tmp_path / "b" / "2.png", 0)
    save(tmp_path / "b" / "1.JPG", 1)
    save(tmp_path / "a.webp", 2)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_text("no picture")
    assert [path.relative_to(tmp_path).as_posix() for path in pictures_in(tmp_path)] == ["a.webp", "b/1.JPG", "b/2.png"]


def test_linked_subfolders_are_searched_once_and_without_end(tmp_path: Path) -> None:
    save(tmp_path / "elsewhere" / "far" / "1.png", 0)
    save(tmp_path / "here" / "b" / "2.png", 1)
    for name, leads_to in (("c", "elsewhere"), ("d", "elsewhere/far"), ("a", "here/b"), ("b/round", "here")):
        (tmp_path / "here" / name).symlink_to(tmp_path / leads_to)
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "here")
    (tmp_path / "here" / "gone").symlink_to(tmp_path / "nowhere")
    found = [path.relative_to(tmp_path).as_posix() for path in pictures_in(tmp_path / "here")]
    assert found == ["here/b/2.png", "here/c/far/1.png"]
    (tmp_path / "link").symlink_to(tmp_path / "here")
    assert [path.name for path in pictures_in(tmp_path / "link")] == ["2.png", "1.png"]


def test_a_tree_without_links_keeps_its_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed, name in enumerate(("a/1.png", "a-b/1.png", "a.png", "A/1.png", ".h/1.png", "a/b/1.png", "ä/1.png")):
        save(tmp_path / name, seed)
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, Path()):
        expected = sorted((path for path in folder.rglob("*") if path.is_file()), key=Path.as_posix)
        assert pictures_in(folder) == expected


def test_a_public_collection_that_is_missing_is_told_with_its_source_and_command() -> None:
    with pytest.raises(DataError) as error:
        pictures_in(Path("data/vangogh2photo/trainA"))
    message = str(error.value)
    assert "there is no folder data/vangogh2photo" in message
    assert "https://" in message
    assert "`ganstyle fetch vangogh2photo`" in message
    assert "\n" not in message


def test_another_folder_that_is_missing_is_told_too() -> None:
    with pytest.raises(DataError, match=r"there is no folder data/holidays; give data\.root"):
        pictures_in(Path("data/holidays"))


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DataError, match=r"holds no picture; ganstyle reads .*\.jpg"):
        pictures_in(tmp_path)


def test_content_not_the_name_tells_files_apart(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 200_000)
    (tmp_path / "b").write_bytes(b"x" * 200_000)
    (tmp_path / "c").write_bytes(b"x" * 199_999 + b"y")
    (tmp_path / "d").write_bytes(b"x" * 200_001)
    prints = [fingerprint(tmp_path / name) for name in "abcd"]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_a_collection_keeps_its_hash_wherever_it_lies(tmp_path: Path) -> None:
    paths = pictures_in(fill(tmp_path / "one", 3))
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    moved = pictures_in(tmp_path / "two")
    assert content_hash(paths) == content_hash(moved)
    save(moved[1], 99)
    assert content_hash(paths) != content_hash(moved)


def test_the_split_follows_content_and_seed(tmp_path: Path) -> None:
    paths = pictures_in(fill(tmp_path / "a", 30))
    train, held_out = split(paths, 0.1, 0)
    assert (len(train), len(held_out)) == (27, 3)
    assert sorted(train + held_out) == paths
    for path in paths:
        (tmp_path / "b").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / "b" / f"renamed_{29 - int(path.stem):03}.png")
    renamed = split(pictures_in(tmp_path / "b"), 0.1, 0)[1]
    assert {fingerprint(path) for path in renamed} == {fingerprint(path) for path in held_out}
    assert split(paths, 0.1, 1)[1] != held_out


def test_copies_stay_on_one_side_of_the_split(tmp_path: Path) -> None:
    fill(tmp_path, 10)
    fill(tmp_path / "again", 10)
    train, held_out = split(pictures_in(tmp_path), 0.3, 0)
    assert len(held_out) == 6
    assert not {path.name for path in train} & {path.name for path in held_out}


def test_a_collection_of_eight_is_trained_on_whole(tmp_path: Path) -> None:
    paths = pictures_in(fill(tmp_path, 8))
    assert split(paths, 0.1, 0) == (paths, [])


def test_a_test_folder_is_called_like_its_training_folder(tmp_path: Path) -> None:
    for name in ("trainA", "testA", "trainB", "valB", "train", "val", "test", "photos"):
        (tmp_path / name).mkdir()
    found = {name: held_out_folder(tmp_path / name) for name in ("trainA", "trainB", "train", "photos")}
    assert {name: folder and folder.name for name, folder in found.items()} == {
        "trainA": "testA",
        "trainB": "valB",
        "train": "test",
        "photos": None,
    }


def test_spreading_chooses_at_even_distances() -> None:
    assert spread("abcdefgh", 4) == ["a", "c", "e", "g"]
    assert spread("abc", 9) == spread("abc", None) == ["a", "b", "c"]


def test_directions() -> None:
    assert sides("AtoB") == ("A", "B")
    assert sides("BtoA") == ("B", "A")
    with pytest.raises(ConfigError, match=r"unknown data.direction 'btoa'; did you mean 'BtoA'\?"):
        sides("btoa")


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match=r"data\.held_out"):
        split([], share, 0)


def test_looking_at_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"data\.val"):
        spread("abc", 0)
