import pickle
from pathlib import Path

import pytest
from data.trees import encoded

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


def test_what_goes_wrong_on_the_way_is_told(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"there is no picture memory://paintings/no\.jpg"):
        Remote(bucket).content("no.jpg", -1, 0)
    with pytest.raises(DataError, match="cannot be reached"):
        connected("nosuch://bucket/folder")
    with pytest.raises(DataError, match=r"lists no picture|cannot be listed"):
        remote("memory://empty", tmp_path)
