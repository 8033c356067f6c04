from pathlib import Path

import pytest
from data.trees import encoded, shard

from ganstyle.data.index import Rows
from ganstyle.data.shards import shards
from ganstyle.errors import DataError

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    for number in range(3):
        shard(tmp_path / f"train-{number:04}.tar", range(5 * number, 5 * number + 5))
    return tmp_path


@pytest.mark.parametrize("pattern", ["train-{0000..0002}.tar", "train-*.tar"])
def test_a_picture_is_read_from_its_place_in_the_archive(archives: Path, pattern: str) -> None:
    index = shards(f"{archives}/{pattern}")
    assert len(index) == 15
    for number in (14, 0, 7):
        assert index.content(number) == encoded(number)
        assert index.paths[number] == f"train-{number // 5:04}.tar::{number:06}.jpg"
        assert index.sizes[number].tolist() == [40, 48]


def test_shards_of_the_same_pictures_hold_the_same_collection(archives: Path, tmp_path: Path) -> None:
    whole = shard(tmp_path / "other" / "all.tar", range(15))
    one, other = shards(f"{archives}/train-*.tar"), shards(str(whole))
    rows = [Rows(index, index.there().nonzero()[0]) for index in (one, other)]
    assert rows[0].identity() == rows[1].identity()


def test_a_shard_that_changes_is_indexed_anew(archives: Path) -> None:
    assert len(shards(f"{archives}/train-*.tar")) == 15
    shard(archives / "train-0001.tar", range(3))
    assert len(shards(f"{archives}/train-*.tar")) == 13


def test_shards_on_another_machine_are_read_in_parts(archives: Path, tmp_path: Path) -> None:
    system = fsspec.filesystem("memory")
    for path in archives.glob("*.tar"):
        system.pipe(f"/bucket/{path.name}", path.read_bytes())
    index = shards("memory://bucket/train-{0000..0002}.tar", tmp_path / "index")
    assert len(index) == 15
    assert index.content(8) == encoded(8)
    assert len(shards("memory://bucket/train-*.tar", tmp_path / "index")) == 15
    with pytest.raises(DataError, match=r"data\.index=FOLDER"):
        shards("memory://bucket/train-*.tar")


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"no archive" * 100)
    with pytest.raises(DataError, match=r"x\.tar is no tar file that can be read"):
        shards(f"{tmp_path}/x.tar")
    with pytest.raises(DataError, match=r"no file is called y\*\.tar"):
        shards(f"{tmp_path}/y*.tar")
    with pytest.raises(DataError, match=r"z-1\.tar cannot be read"):
        shards(f"{tmp_path}/z-{{1..2}}.tar")
