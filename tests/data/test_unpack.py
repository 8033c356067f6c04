import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from ganstyle.data import unpack as unpacking
from ganstyle.data.unpack import unpack
from ganstyle.errors import FetchError


def zipped(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def tarred(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def link(name: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "unpacked").mkdir()
    return tmp_path / "unpacked"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_zip_is_unpacked(tmp_path: Path, folder: Path) -> None:
    members = {"set/trainA/2014-08-01 17:41:55.jpg": b"a", "set/trainB/1.jpg": b"bb"}
    unpack(zipped(tmp_path / "a.zip", ("set/trainA/", b""), *members.items()), folder)
    assert files(folder) == members


def test_a_tar_is_unpacked(tmp_path: Path, folder: Path) -> None:
    directory = tarfile.TarInfo("set/train")
    directory.type = tarfile.DIRTYPE
    unpack(tarred(tmp_path / "a.tar.gz", (directory, b""), (tarfile.TarInfo("set/train/1.jpg"), b"a")), folder)
    assert files(folder) == {"set/train/1.jpg": b"a"}


def test_what_macos_adds_is_left_out(tmp_path: Path, folder: Path) -> None:
    members = [("set/1.jpg", b"a"), ("set/._1.jpg", b"x"), ("__MACOSX/set/2.jpg", b"x")]
    unpack(zipped(tmp_path / "a.zip", *members), folder)
    assert files(folder) == {"set/1.jpg": b"a"}


@pytest.mark.parametrize("name", ["../evil", "set/../../evil", "/evil", "..\\evil", "C:evil", "."])
def test_a_path_that_leads_out_is_refused(name: str, tmp_path: Path, folder: Path) -> None:
    for archive in (
        zipped(tmp_path / "a.zip", (name, b"x")),
        tarred(tmp_path / "a.tar.gz", (tarfile.TarInfo(name), b"x")),
    ):
        with pytest.raises(FetchError, match="leads out of the folder"):
            unpack(archive, folder)
    assert not files(folder)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path, folder: Path) -> None:
    with pytest.raises(FetchError, match="a link or device"):
        unpack(tarred(tmp_path / "a.tar.gz", (link("set", kind), b"")), folder)
    assert not list(folder.iterdir())


def test_links_in_a_zip_are_refused(tmp_path: Path, folder: Path) -> None:
    info = zipfile.ZipInfo("set")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(FetchError, match="a link or locked file"):
        unpack(zipped(tmp_path / "a.zip", (info, b"/etc")), folder)


def test_a_file_that_occurs_twice_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = zipped(tmp_path / "a.zip", ("1.jpg", b"a"), ("1.jpg", b"b"))
    with pytest.raises(FetchError, match="twice"):
        unpack(archive, folder)


def test_a_bomb_is_stopped_before_it_has_unpacked(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "SPARE_BYTES", 1 << 20)
    zeros = bytes(16 << 20)
    for archive in (
        zipped(tmp_path / "a.zip", ("1.jpg", zeros)),
        tarred(tmp_path / "a.tar.gz", (tarfile.TarInfo("2.jpg"), zeros)),
    ):
        with pytest.raises(FetchError, match="far more than"):
            unpack(archive, folder)
    assert sum(map(len, files(folder).values())) < 4 << 20


def test_too_many_files_are_refused(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_FILES", 2)
    with pytest.raises(FetchError, match="more than 2 files"):
        unpack(zipped(tmp_path / "a.zip", *((f"{n}.jpg", b"") for n in range(3))), folder)


def test_a_damaged_archive_is_named(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "page.zip").write_text("<html>404</html>")
    content = bytearray(zipped(tmp_path / "a.zip", ("1.jpg", bytes(range(256)))).read_bytes())
    content[60] ^= 255
    (tmp_path / "flipped.zip").write_bytes(content)
    whole = tarred(tmp_path / "a.tar.gz", (tarfile.TarInfo("1.jpg"), bytes(range(256)) * 99)).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[:-12])
    for name in ("page.zip", "flipped.zip", "cut.tar.gz"):
        with pytest.raises(FetchError, match=name):
            unpack(tmp_path / name, folder)
