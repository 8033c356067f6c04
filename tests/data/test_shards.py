import tarfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
from data.trees import encoded, shard

from ganstyle.data.index import Rows
from ganstyle.data.shards import shards
from ganstyle.errors import DataError, ImageError

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


def test_a_shard_whose_header_is_damaged_is_refused(archives: Path) -> None:
    file = archives / "train-0001.tar"
    with tarfile.open(file) as archive:
        place = archive.getmembers()[4].offset
    content = bytearray(file.read_bytes())
    content[place + 148 : place + 156] = b"checksum"
    file.write_bytes(content)
    with pytest.raises(DataError, match=rf"train-0001\.tar is damaged: what begins at byte {place:,} is no header"):
        shards(f"{archives}/train-*.tar")


@pytest.mark.parametrize("more", [0, 100])
def test_a_shard_that_is_cut_off_is_refused(archives: Path, more: int) -> None:
    file = archives / "train-0001.tar"
    with tarfile.open(file) as archive:
        place = archive.getmembers()[4].offset + more
    file.write_bytes(file.read_bytes()[:place])
    with pytest.raises(DataError, match=rf"train-0001\.tar is cut off after {place:,} bytes"):
        shards(f"{archives}/train-*.tar")


def test_shards_that_were_put_one_behind_another_are_refused(archives: Path) -> None:
    (archives / "all.tar").write_bytes(b"".join(path.read_bytes() for path in sorted(archives.glob("train-*"))))
    with pytest.raises(DataError, match=r"all\.tar goes on after the end of the archive at byte"):
        shards(f"{archives}/all.tar")


class Ranged(SimpleHTTPRequestHandler):
    """A server of files and of parts of them; remembers what was asked for."""

    asked: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        path, asked = Path(self.translate_path(self.path)), self.headers["Range"]
        self.asked.append(asked)
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        first, last = (int(end) for end in (asked or f"bytes=0-{len(content) - 1}").partition("=")[2].split("-"))
        part = content[first : last + 1]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Keep still."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server whose root is `tmp_path / "served"`."""
    Ranged.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Ranged, directory=str(tmp_path / "served"))) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}"
        http.shutdown()


def test_over_http_a_picture_costs_its_own_bytes(tmp_path: Path, server: str) -> None:
    shard(tmp_path / "served" / "train-0.tar", range(3))
    shard(tmp_path / "served" / "train-1.tar", range(3, 6))
    index = shards(f"{server}/train-{{0..1}}.tar", tmp_path / "index")
    Ranged.asked.clear()
    assert [index.content(row) for row in range(6)] == [encoded(seed) for seed in range(6)]
    parts = [part.partition("=")[2].split("-") for part in Ranged.asked if part]
    assert [int(last) - int(first) + 1 for first, last in parts] == [len(encoded(seed)) for seed in range(6)]
    (tmp_path / "served" / "train-1.tar").unlink()
    with pytest.raises(ImageError, match=r"there is no picture http://127\.0\.0\.1:\d+/train-1\.tar"):
        index.content(5)
