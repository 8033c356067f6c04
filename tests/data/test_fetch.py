import fcntl
import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from rich.console import Console

from ganstyle.data import download as downloading
from ganstyle.data.catalogue import CATALOGUE, Collection, collection
from ganstyle.data.download import download
from ganstyle.data.fetch import RECORD, fetch
from ganstyle.errors import FetchError

QUIET = Console(quiet=True)


def archive_of(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for n, name in enumerate(names):
            archive.writestr(name, hashlib.sha256(bytes([n])).digest() * 4000)
    return file.getvalue()


ARCHIVE = archive_of("tiny/trainA/1.jpg", "tiny/trainB/1.jpg")


@dataclass
class Shelf:
    """What the server has, and how badly it serves it."""

    url: str = ""
    content: bytes = ARCHIVE
    tag: str | None = '"one"'
    dated: bool = False
    ranges: bool = True
    cut: list[int] = field(default_factory=list)
    """For each of the next answers: after how many bytes the connection ends."""
    refuse: list[int] = field(default_factory=list)
    """Status codes of the next answers."""
    asked: list[str | None] = field(default_factory=list)
    """The ranges that were asked for."""


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    shelf = Shelf()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(downloading, "CHUNK", 1 << 10)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            shelf.asked.append(self.headers["Range"])
            if shelf.refuse:
                return self.send_error(shelf.refuse.pop(0))
            date = formatdate(0, usegmt=True)
            valid = self.headers["If-Range"] in (shelf.tag, date if shelf.dated else None)
            start = int(self.headers["Range"][6:-1]) if self.headers["Range"] and shelf.ranges and valid else 0
            size = len(shelf.content)
            self.send_response(416 if start >= size else 206 if start else 200)
            if start:
                span = f"{start}-{size - 1}" if start < size else "*"
                self.send_header("Content-Range", f"bytes {span}/{size}")
            if shelf.tag:
                self.send_header("ETag", shelf.tag)
            if shelf.dated:
                self.send_header("Last-Modified", date)
            self.send_header("Content-Length", str(max(0, size - start)))
            self.end_headers()
            body = shelf.content[start:]
            self.wfile.write(body[: shelf.cut.pop(0)] if shelf.cut else body)
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    shelf.url = f"http://127.0.0.1:{server.server_port}/tiny.zip"
    yield shelf
    server.shutdown()
    server.server_close()


@pytest.fixture
def tiny(shelf: Shelf) -> Collection:
    sha256 = hashlib.sha256(ARCHIVE).hexdigest()
    return Collection("tiny", "two pictures", "unpaired", "none", (shelf.url,), len(ARCHIVE), sha256)


def ignore(have: int, total: int | None) -> None:
    assert total is None or have <= total


def test_a_data_set_arrives_whole(tiny: Collection, tmp_path: Path) -> None:
    folder = fetch(tiny, tmp_path / "data", console=QUIET)
    assert folder == tmp_path / "data" / "tiny"
    assert sorted(path.name for path in folder.iterdir()) == ["trainA", "trainB"]
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]


def test_what_is_there_is_not_fetched_again(tiny: Collection, shelf: Shelf, tmp_path: Path) -> None:
    fetch(tiny, tmp_path, console=QUIET)
    fetch(tiny, tmp_path, console=QUIET)
    assert len(shelf.asked) == 1


def test_two_fetches_of_one_archive_keep_out_of_each_others_way(tiny: Collection, shelf: Shelf, tmp_path: Path) -> None:
    with (tmp_path / "tiny.zip.lock").open("w") as claim:
        fcntl.flock(claim, fcntl.LOCK_EX)
        with pytest.raises(FetchError, match=rf"another process is fetching tiny\.zip into {tmp_path}; wait"):
            fetch(tiny, tmp_path, console=QUIET)
        assert shelf.asked == []
    fetch(tiny, tmp_path, console=QUIET)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


@pytest.mark.parametrize("validator", ["tag", "date"])
def test_a_download_that_broke_off_goes_on_in_the_same_call(validator: str, shelf: Shelf, tmp_path: Path) -> None:
    shelf.tag, shelf.dated = ('"one"', False) if validator == "tag" else ('W/"weak"', True)
    shelf.cut = [100_000, 50_000]
    download([shelf.url], tmp_path / "a.zip", ignore, pause=0.0)
    assert (tmp_path / "a.zip").read_bytes() == ARCHIVE
    assert shelf.asked == [None, "bytes=100000-", "bytes=150000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_an_interrupted_download_goes_on_in_the_next_call(shelf: Shelf, tmp_path: Path) -> None:
    def interrupt(have: int, total: int | None) -> None:
        if have > 90_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download([shelf.url], tmp_path / "a.zip", interrupt)
    kept = (tmp_path / "a.zip.part").stat().st_size
    download([shelf.url], tmp_path / "a.zip", ignore)
    assert 90_000 < kept < len(ARCHIVE)
    assert shelf.asked == [None, f"bytes={kept}-"]
    assert (tmp_path / "a.zip").read_bytes() == ARCHIVE


def test_a_changed_file_is_fetched_from_its_start(shelf: Shelf, tmp_path: Path) -> None:
    shelf.cut, shelf.refuse = [100_000], []
    with pytest.raises(FetchError):
        download([shelf.url], tmp_path / "a.zip", lambda *_: shelf.refuse.append(404), pause=0.0)
    shelf.refuse.clear()
    shelf.content, shelf.tag = ARCHIVE[::-1], '"two"'
    download([shelf.url], tmp_path / "a.zip", ignore)
    assert (tmp_path / "a.zip").read_bytes() == ARCHIVE[::-1]


def test_a_server_without_ranges_is_asked_for_everything(shelf: Shelf, tmp_path: Path) -> None:
    shelf.ranges, shelf.cut = False, [100_000]
    download([shelf.url], tmp_path / "a.zip", ignore, pause=0.0)
    assert (tmp_path / "a.zip").read_bytes() == ARCHIVE


def test_without_a_version_nothing_is_resumed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.tag, shelf.cut = None, [100_000]
    download([shelf.url], tmp_path / "a.zip", ignore, pause=0.0)
    assert shelf.asked == [None, None]
    assert (tmp_path / "a.zip").read_bytes() == ARCHIVE


def test_a_part_that_is_whole_already_is_taken(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(ARCHIVE)
    (tmp_path / "a.zip.part.version").write_text('"one"')
    download([shelf.url], tmp_path / "a.zip", ignore)
    assert (tmp_path / "a.zip").read_bytes() == ARCHIVE


def test_a_part_that_is_too_long_is_dropped(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(ARCHIVE + b"more")
    (tmp_path / "a.zip.part.version").write_text('"one"')
    download([shelf.url], tmp_path / "a.zip", ignore, pause=0.0)
    assert (tmp_path / "a.zip").read_bytes() == ARCHIVE


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(shelf: Shelf, tmp_path: Path) -> None:
    shelf.refuse = [503]
    download([shelf.url], tmp_path / "a.zip", ignore, pause=0.0)
    shelf.refuse = [404]
    with pytest.raises(FetchError, match="Not Found"):
        download([shelf.url], tmp_path / "b.zip", ignore, pause=0.0)
    assert len(shelf.asked) == 3


def test_a_second_place_is_tried(shelf: Shelf, tmp_path: Path) -> None:
    download(["http://127.0.0.1:9/tiny.zip", shelf.url], tmp_path / "a.zip", ignore, pause=0.0)
    assert (tmp_path / "a.zip").read_bytes() == ARCHIVE


def test_giving_up_says_what_is_kept(shelf: Shelf, tmp_path: Path) -> None:
    shelf.cut = [100_000] + [0] * 9
    with pytest.raises(FetchError, match=r"100000 of \d+ bytes.*0\.1 MB are kept"):
        download([shelf.url], tmp_path / "a.zip", ignore, pause=0.0)


def test_a_wrong_checksum_is_refused_and_leaves_nothing(tiny: Collection, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="SHA-256"):
        fetch(replace(tiny, sha256="0" * 64), tmp_path, console=QUIET)
    assert not list(tmp_path.iterdir())


def test_a_sum_nobody_publishes_is_recorded_and_then_held_to(tiny: Collection, shelf: Shelf, tmp_path: Path) -> None:
    unknown = replace(tiny, sha256=None)
    (fetch(unknown, tmp_path, console=QUIET)).rename(tmp_path / "moved")
    assert (tmp_path / RECORD).read_text() == f"{tiny.sha256}  tiny.zip\n"
    shelf.content = archive_of("tiny/trainA/other.jpg", "tiny/trainB/1.jpg")
    with pytest.raises(FetchError, match="SHA-256"):
        fetch(unknown, tmp_path, console=QUIET)


@pytest.mark.parametrize(("published", "told"), [(True, False), (False, True)])
def test_what_nobody_can_vouch_for_is_told(tiny: Collection, tmp_path: Path, published: bool, told: bool) -> None:
    out = io.StringIO()
    fetch(tiny if published else replace(tiny, sha256=None), tmp_path, console=Console(file=out, width=1000))
    assert ("tiny.zip came without encryption, and no checksum is published" in out.getvalue()) == told


def test_an_archive_without_the_layout_is_refused(tiny: Collection, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="lacks the folder train "):
        fetch(replace(tiny, layout="paired"), tmp_path, console=QUIET)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.zip"]


def test_an_archive_without_a_folder_around_it_is_taken_too(tiny: Collection, shelf: Shelf, tmp_path: Path) -> None:
    shelf.content = archive_of("trainA/1.jpg", "trainB/1.jpg")
    folder = fetch(replace(tiny, sha256=None), tmp_path, console=QUIET)
    assert (folder / "trainA" / "1.jpg").is_file()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(tiny: Collection, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FetchError, match="cannot be stored"):
        fetch(tiny, tmp_path, console=QUIET)


def test_a_file_in_the_way_is_named(tiny: Collection, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(FetchError, match="cannot be stored"):
        fetch(tiny, tmp_path / "data", console=QUIET)


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(FetchError, match="did you mean 'vangogh2photo'"):
        collection("vangogh2foto")


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=str)
def test_the_catalogue_is_well_formed(entry: Collection) -> None:
    assert entry.urls[0].startswith("https://")
    assert all(url.endswith(f"/{entry.archive}") for url in entry.urls)
    assert entry.archive.split(".")[0] == entry.name
    assert entry.sha256 is None or (len(entry.sha256) == 64 and int(entry.sha256, 16))


@pytest.mark.network
def test_facades_can_be_fetched(tmp_path: Path) -> None:
    assert (fetch(collection("facades"), tmp_path, console=QUIET) / "train").is_dir()
