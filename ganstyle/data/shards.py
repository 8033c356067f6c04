"""Tar shards as WebDataset lays them out, read in any order: where each picture begins is written down once."""

import re
import tarfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ganstyle.data.folders import hashed
from ganstyle.data.index import UNTOLD, Index, Listing, hashed_name, indexed, told
from ganstyle.data.readers import INSIDE, Local
from ganstyle.data.remote import Remote, answered
from ganstyle.decode import is_picture
from ganstyle.errors import DataError

BLOCK = tarfile.BLOCKSIZE
AT_ONCE = 1 << 20
"""Bytes that are read at a time of what follows an archive's end."""
BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")


def shards(pattern: str, at: Path | None = None) -> Index:
    """Index the pictures in tar files named by a pattern: `train-{0000..0146}.tar`, `train-*.tar`, local or remote.

    Pictures keep the order of the shards and, in each, of the archive. What else a sample holds is left alone.

    Args:
        pattern: paths or an address that fsspec reaches, with `*` or one span of numbers in braces.
        at: the folder of the index; None puts it beside local shards.

    Raises:
        DataError: no shard matches, one is compressed, damaged, cut off or no tar file, or remote shards have no place
            for their index.
    """
    remote = "://" in pattern
    root, _, last = pattern.rpartition("/")
    reader = Remote(root) if remote else Local(Path(root or "."))
    names = _names(reader, last)
    if remote and at is None:
        raise DataError(f"the index of {pattern} must lie on this machine; give data.index=FOLDER.")
    folder = (at or Path(root or ".") / ".ganstyle") / f"shards-{hashed_name(pattern)}"
    plan = {"kind": "shards", "pattern": last, "shards": [_stamp(reader, name) for name in names], "whole": True}
    what = f"the pictures of {pattern}"
    return told(indexed(folder, plan, partial(_listing, reader, names), reader, what), pattern)


def _names(reader: Local | Remote, last: str) -> list[str]:
    """List the shards that a pattern names."""
    span = BRACES.search(last)
    if span:
        first, final = span.groups()
        numbers = range(int(first), int(final) + 1)
        names = [f"{last[: span.start()]}{number:0{len(first)}}{last[span.end() :]}" for number in numbers]
    elif isinstance(reader, Local):
        names = sorted(path.name for path in reader.root.glob(last))
    else:
        with answered(reader.root, "listed"):
            names = sorted(str(path).rpartition("/")[2] for path in reader.system().glob(f"{reader.root}/{last}"))
    if not names:
        raise DataError(f"no file is called {last} in {reader.root}.")
    return names


def _stamp(reader: Local | Remote, name: str) -> list[Any]:
    """Say what changes when a shard does: its name and size, and its ends where they are at hand."""
    if isinstance(reader, Remote):
        with answered(f"{reader.root}/{name}", "read"):
            return [name, reader.system().size(f"{reader.root}/{name}")]
    try:
        with (reader.root / name).open("rb") as file:
            return [name, hashed(file)]
    except OSError as error:
        raise DataError(f"the shard {reader.root / name} cannot be read: {error.strerror or error}.") from None


def _listing(reader: Local | Remote, names: Sequence[str]) -> Listing:
    """Walk through the headers of every shard."""
    members = [(f"{name}{INSIDE}{m.name}", m.offset_data, m.size) for name in names for m in _members(reader, name)]
    paths, offsets, lengths = zip(*members, strict=True) if members else ((), (), ())
    split = np.full(len(paths), UNTOLD)
    return Listing(paths, split, offsets=np.array(offsets, np.int64), lengths=np.array(lengths, np.int64))


def _members(reader: Local | Remote, name: str) -> Iterator[tarfile.TarInfo]:
    """Yield the pictures of one shard."""
    place = f"{reader.root}/{name}"
    with answered(place, "read"):
        try:
            with _opened(reader, name) as file, tarfile.open(fileobj=file, mode="r:") as archive:
                for member in archive:
                    if member.isfile() and is_picture(Path(member.name)):
                        yield member
                _check_end(file, archive.offset, place)
        except tarfile.TarError as error:
            raise DataError(
                f"{place} is no tar file that can be read ({error}); fetch it again, or unzip it first."
            ) from None


def _check_end(file: Any, end: int, place: str) -> None:
    """Refuse an archive in which no more header was found, unless zeros say that it ends there, up to the file's end.

    `tarfile` takes a damaged header, or none, for the end.
    """
    file.seek(end)
    block = file.read(BLOCK)
    if len(block) < BLOCK:
        raise DataError(f"{place} is cut off after {end + len(block):,} bytes; fetch it again.")
    if any(block):
        raise DataError(f"{place} is damaged: what begins at byte {end:,} is no header of a file; fetch it again.")
    while rest := file.read(AT_ONCE):
        if any(rest):
            raise DataError(
                f"{place} goes on after the end of the archive at byte {end:,}; unpack it and pack it anew."
            )


def _opened(reader: Local | Remote, name: str) -> Any:
    if isinstance(reader, Local):
        return (reader.root / name).open("rb")
    return reader.system().open(f"{reader.root}/{name}", "rb")
