import pickle
from pathlib import Path
from typing import Any

import pytest
from data.trees import encoded

from ganstyle.data import index as indexing
from ganstyle.data.remote import Remote, connected, remote
from ganstyle.errors import DataError, ImageError

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def bucket() -> str:
    system = fsspec.filesystem("memory")
    for number in range(4):
        system.pipe(f"/paintings/some/{number}.jpg", encoded(number))
    system.pipe("/paintings/notes.txt", b"no picture")
    return "memory://paintings"


def test_the_pictures_under_an_address_are_indexed_and_read(bucket: str, tmp_path: Path) -> None:
    index = remote(bucket, tmp_path)
    assert [index.paths[number] for number in range(len(index))] == [f"some/{number}.jpg" for number in range(4)]
    assert index.content(2) == encoded(2)
    assert pickle.loads(pickle.dumps(index)).content(3) == encoded(3)


def test_addresses_that_differ_in_signs_only_have_an_index_each(bucket: str, tmp_path: Path) -> None:
    system = fsspec.filesystem("memory")
    for number, name in enumerate(("a-b", "a/b")):
        system.pipe(f"/signs/{name}/{number}.jpg", encoded(number))
    one, other = (remote(f"memory://signs/{name}", tmp_path) for name in ("a-b", "a/b"))
    assert [pickle.loads(pickle.dumps(index)).content(0) for index in (one, other)] == [encoded(0), encoded(1)]


def test_what_goes_wrong_on_the_way_is_told(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"there is no picture memory://paintings/no\.jpg"):
        Remote(bucket).content("no.jpg", -1, 0)
    with pytest.raises(DataError, match="cannot be reached"):
        connected("nosuch://bucket/folder")
    with pytest.raises(DataError, match=r"lists no picture|cannot be listed"):
        remote("memory://empty", tmp_path)


class DisconnectedError(Exception):
    """What aiohttp raises is no OSError."""


@pytest.fixture
def failures(bucket: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many more times the pictures of the bucket fail to arrive, by the end of their names."""
    left: dict[str, int] = {}
    system, waits = type(fsspec.filesystem("memory")), []
    real = system.cat_file

    def flaky(self: Any, path: str, **bounds: Any) -> bytes:
        if left.get(path[-5:], 0) > 0:
            left[path[-5:]] -= 1
            raise DisconnectedError("Server disconnected")
        return bytes(real(self, path, **bounds))

    monkeypatch.setattr(system, "cat_file", flaky)
    monkeypatch.setattr(indexing.time, "sleep", waits.append)
    return left


def test_a_hiccup_while_indexing_costs_no_picture(bucket: str, tmp_path: Path, failures: dict[str, int]) -> None:
    failures.update({"1.jpg": 2, "3.jpg": 1})
    assert remote(bucket, tmp_path).there().all()


def test_an_index_waits_for_what_does_not_answer(bucket: str, tmp_path: Path, failures: dict[str, int]) -> None:
    failures["2.jpg"] = 9
    with pytest.raises(DataError, match=r"2\.jpg cannot be read: Server disconnected.* the same command goes on"):
        remote(bucket, tmp_path)
    failures.clear()
    assert remote(bucket, tmp_path).there().all()
