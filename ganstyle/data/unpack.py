"""Archives of strangers, unpacked with care: regular files only, inside the folder only, and only so many bytes."""

import gzip
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from ganstyle.errors import FetchError

LARGEST_RATIO = 20
"""Archives of pictures barely compress; one that grows more than this is no archive of pictures."""
SPARE_BYTES = 64 << 20
MOST_FILES = 1_000_000
CHUNK = 1 << 20
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError)


class _Member(NamedTuple):
    name: str
    content: IO[bytes]


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip or tar archive into an empty folder.

    Leaves out what macOS adds (`__MACOSX`, `._*`). Raises FetchError, naming the member, for a path that leads out of
    the folder, a link, a device, a file that occurs twice, or contents beyond `LARGEST_RATIO` times the archive's size.
    """
    allowance = archive.stat().st_size * LARGEST_RATIO + SPARE_BYTES
    try:
        for count, member in enumerate(_members(archive)):
            if count >= MOST_FILES:
                raise FetchError(
                    f"{archive} holds more than {MOST_FILES} files and was not unpacked; it is not a data set."
                )
            allowance -= _copy(member, folder, allowance, archive)
    except DAMAGED as error:
        raise FetchError(f"{archive} cannot be unpacked ({error}); remove it and fetch it again.") from error


def _members(archive: Path) -> Iterator[_Member]:
    """Walk over the regular files, refusing whatever is neither a file nor a folder."""
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
    elif tarfile.is_tarfile(archive):
        yield from _tar_members(archive)
    else:
        raise FetchError(f"{archive} is neither a zip nor a tar archive; remove it and fetch it again.")


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or info.flag_bits & 1:
                raise FetchError(f"{archive} holds {info.filename!r}, a link or locked file; it was not unpacked.")
            if not info.is_dir():
                with opened.open(info) as content:
                    yield _Member(info.orig_filename, content)


def _tar_members(archive: Path) -> Iterator[_Member]:
    with tarfile.open(archive) as opened:
        for info in opened:
            if not (info.isfile() or info.isdir()):
                raise FetchError(f"{archive} holds {info.name!r}, a link or device; it was not unpacked.")
            content = opened.extractfile(info)
            if content is not None:
                with content:
                    yield _Member(info.name, content)


def _copy(member: _Member, folder: Path, allowance: int, archive: Path) -> int:
    """Write one member below the folder; returns its size, counted rather than believed."""
    path = _inside(member.name, folder, archive)
    if path.name.startswith("._") or "__MACOSX" in path.parts:
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        raise FetchError(f"{archive} holds {member.name!r} twice; it was not unpacked.")
    written = 0
    with path.open("xb") as file:
        while piece := member.content.read(CHUNK):
            written += len(piece)
            if written > allowance:
                raise FetchError(
                    f"{archive} unpacks to far more than an archive of pictures would; it was not unpacked."
                )
            file.write(piece)
    return written


def _inside(name: str, folder: Path, archive: Path) -> Path:
    """Where a member belongs; raises FetchError if its name leads elsewhere, on this system or another."""
    path = PurePosixPath(name)
    odd = {"\\", "\0"} & set(name) or re.match(r"[A-Za-z]:", name)
    if path.is_absolute() or ".." in path.parts or odd or not path.parts:
        raise FetchError(f"{archive} holds {name!r}, which leads out of the folder; it was not unpacked.")
    return folder.joinpath(*path.parts)
