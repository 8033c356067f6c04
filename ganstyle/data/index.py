"""What is known of a large collection, written down once as memory-mapped columns: a row costs bytes, not objects."""

import json
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Integer, UInt64
from numpy import ndarray

from ganstyle.data.building import Job, build
from ganstyle.data.folders import hashed
from ganstyle.data.order import mixed
from ganstyle.data.tolerant import RETRIES, WAIT
from ganstyle.errors import ConfigError, DataError, ImageError, UnreachableError
from ganstyle.values import number

log = logging.getLogger(__name__)
AT_ONCE = 256
"""Rows of one piece of work."""
AT_ONCE_HASHED = 1 << 16
"""Rows whose hashes are held in memory at a time."""
TRAIN, VAL, UNTOLD = 0, 1, 2
"""Values of the column `split`."""
UNKNOWN = -1
"""Label of a picture that a list does not name."""
Numbers = Integer[ndarray, "count"]


class Glance(tuple[int, int, int, int]):
    """Bytes, height, width and mark of a picture file."""


@runtime_checkable
class Reader(Protocol):
    """Gets at the files of a collection; picklable."""

    def content(self, path: str, offset: int, length: int) -> bytes:
        """Return the bytes of a picture: a whole file where the offset is negative; raises ImageError."""

    def glance(self, path: str, offset: int, length: int) -> Glance:
        """Look at a picture without decoding it.

        Raises:
            UnreachableError: whether there is one cannot be told now.
            ImageError: there is none.
        """


@dataclass(frozen=True)
class Listing:
    """The pictures of a collection before anybody looked at them."""

    paths: Sequence[str]
    split: Numbers
    labels: Mapping[str, Numbers] = field(default_factory=dict)
    """For each kind of label, its number for every picture."""
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """For each kind of label, what its numbers are called."""
    offsets: Numbers | None = None
    lengths: Numbers | None = None


class Text:
    """Strings in two columns: all their bytes, and where each ends."""

    def __init__(self, folder: Path, name: str) -> None:
        self._bytes, self._ends = column(folder, name), column(folder, f"{name}_ends")

    def __getitem__(self, number: int) -> str:
        """Return a string."""
        start = int(self._ends[number - 1]) if number else 0
        return self._bytes[start : int(self._ends[number])].tobytes().decode(errors="surrogateescape")

    @staticmethod
    def write(folder: Path, name: str, strings: Iterable[str]) -> None:
        """Write the two columns."""
        encoded = [string.encode(errors="surrogateescape") for string in strings]
        np.save(folder / f"{name}.npy", np.frombuffer(b"".join(encoded), np.uint8))
        np.save(folder / f"{name}_ends.npy", np.cumsum([len(one) for one in encoded], dtype=np.int64))


class Index:
    """The columns of a collection, and how its files are read."""

    def __init__(self, folder: Path, reader: Reader) -> None:
        self.folder, self.reader = folder, reader
        self.paths = Text(folder, "path")
        self.offsets, self.bytes, self.sizes = (column(folder, name) for name in ("offset", "bytes", "size"))
        self.hashes, self.split = column(folder, "hash"), column(folder, "split")
        self.names: dict[str, list[str]] = json.loads((folder / "names.json").read_text())
        self.labels = {kind: column(folder, f"label_{kind}") for kind in self.names}

    def __len__(self) -> int:
        """Count the rows, with those whose file is missing or no picture."""
        return len(self.hashes)

    def __reduce__(self) -> Any:
        """Send the folder to another process, which maps it for itself."""
        return Index, (self.folder, self.reader)

    def there(self) -> Bool[ndarray, "count"]:
        """Say which rows are pictures."""
        return np.asarray(self.sizes[:, 0] > 0)

    def content(self, row: int) -> bytes:
        """Return the bytes of a picture.

        Raises:
            ImageError: they cannot be had, or have another fingerprint than what was indexed.
        """
        content = self.reader.content(self.paths[row], int(self.offsets[row]), int(self.bytes[row]))
        if mark(hashed(BytesIO(content))) != self.hashes[row]:
            raise ImageError(
                f"{self.paths[row]} holds {len(content):,} bytes that are not those it held when it was indexed; "
                f"remove {self.folder} to index anew."
            )
        return content


class Rows:
    """Some rows of an index as picture files."""

    def __init__(self, index: Index, rows: Numbers) -> None:
        self.index, self.rows = index, rows

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.rows)

    def name(self, number: int) -> str:
        """Return a file's path in its collection."""
        return self.index.paths[int(self.rows[number])]

    def size(self, number: int) -> tuple[int, int]:
        """Return height and width, as they were found when the index was made."""
        height, width = self.index.sizes[int(self.rows[number])].tolist()
        return height, width

    def content(self, number: int) -> bytes:
        """Return the bytes of a file."""
        return self.index.content(int(self.rows[number]))

    def identity(self) -> str:
        """Hash what the files hold, in their order."""
        digest = blake2b(digest_size=16)
        for start in range(0, len(self.rows), AT_ONCE_HASHED):
            digest.update(self.index.hashes[self.rows[start : start + AT_ONCE_HASHED]].tobytes())
        return digest.hexdigest()

    def check(self, *, lenient: bool = False) -> None:
        """Do nothing: every file was looked at when the index was made."""

    def chosen(self, numbers: Sequence[int]) -> "Rows":
        """Take some of the pictures."""
        return Rows(self.index, self.rows[np.asarray(numbers, np.int64)])


def mark(fingerprint: str) -> int:
    """Return the 64 bits of a file's fingerprint that an index keeps."""
    return int(fingerprint[:16], 16)


def column(folder: Path, name: str) -> ndarray:
    """Map a column, read-only."""
    array: ndarray = np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))
    return array


def place_of(name: str, root: Path, at: Path | None) -> Path:
    """Return the folder of a collection's index: under its `root`, or under `at`, which several collections share."""
    return root / ".ganstyle" / name if at is None else at / f"{name}-{hashed_name(str(root.resolve()))}"


def hashed_name(text: str) -> str:
    """Return a short name for any text."""
    return hashed(BytesIO(text.encode()))[:12]


def indexed(folder: Path, plan: Mapping[str, Any], listing: "partial[Listing]", reader: Reader, what: str) -> Index:
    """Open an index, and make it first where it is not there or was made by another plan.

    Args:
        folder: where it lies or will lie.
        plan: plain values that change when the collection does.
        listing: lists the collection.
        reader: gets at its files.
        what: the collection in words, for messages.
    """
    plan = {"format": 1, **plan}
    title = f"indexing {what}"
    advice = "give data.index=FOLDER, where the index can be written"
    build(folder, Job(title, plan, partial(_begin, listing, what), partial(_look, reader), advice))
    try:
        return Index(folder, reader)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"the index {folder} is damaged ({error}); remove it, and it is made anew.") from error


def _begin(listing: "partial[Listing]", what: str, half: Path) -> int:
    """Write what the lists say, and lay out the columns for what the files say."""
    found = listing()
    count = len(found.paths)
    if not count:
        raise DataError(f"{what}: the collection lists no picture.")
    Text.write(half, "path", found.paths)
    (half / "names.json").write_text(json.dumps({kind: list(names) for kind, names in found.names.items()}))
    columns: dict[str, ndarray] = {
        "offset": np.full(count, -1, np.int64) if found.offsets is None else found.offsets.astype(np.int64),
        "bytes": np.zeros(count, np.int64) if found.lengths is None else found.lengths.astype(np.int64),
        "size": np.zeros((count, 2), np.int32),
        "hash": np.zeros(count, np.uint64),
        "split": found.split.astype(np.uint8),
        **{f"label_{kind}": numbers.astype(np.int32) for kind, numbers in found.labels.items()},
    }
    for name, values in columns.items():
        np.save(half / f"{name}.npy", values)
    return -(-count // AT_ONCE)


def _look(reader: Reader, half: Path, piece: int) -> None:
    """Look at some of the files."""
    paths, offsets = Text(half, "path"), column(half, "offset")
    lengths, sizes, hashes = (np.load(half / f"{name}.npy", mmap_mode="r+") for name in ("bytes", "size", "hash"))
    for row in range(piece * AT_ONCE, min((piece + 1) * AT_ONCE, len(sizes))):
        try:
            seen = _glanced(reader, paths[row], int(offsets[row]), int(lengths[row]))
        except UnreachableError as error:
            raise DataError(f"{error} When it answers again, the same command goes on with the index.") from error
        except ImageError as error:
            log.debug("%s", error)
            continue
        lengths[row], sizes[row], hashes[row] = seen[0], seen[1:3], seen[3]


def _glanced(reader: Reader, path: str, offset: int, length: int) -> Glance:
    """Look at a picture, and again while its disk or server does not answer."""
    for attempt in range(RETRIES):
        try:
            return reader.glance(path, offset, length)
        except UnreachableError:
            time.sleep(WAIT * 2**attempt)
    return reader.glance(path, offset, length)


def told(index: Index, what: str) -> Index:
    """Say once how many of the listed pictures are not there or cannot be read, and which is the first."""
    lacking = np.flatnonzero(~index.there())
    if len(lacking):
        log.warning(
            "%s of %s pictures that %s lists are missing or cannot be read and are left out, the first being %s; "
            "remove %s to look again.",
            *(f"{len(lacking):,}", f"{len(index):,}", what, index.paths[int(lacking[0])], index.folder),
        )
    if len(lacking) == len(index):
        raise DataError(f"none of the {len(index):,} pictures that {what} lists is there, not even {index.paths[0]}.")
    return index


def halved(index: Index, chosen: Bool[ndarray, "count"], held_out: float, seed: int) -> tuple[Rows, Rows]:
    """Divide some rows into those to train on and those held out.

    Pictures that a list calls validation are held out; where it calls none so, the share `held_out` is, chosen by seed
    and content, copies together and rounded down.
    """
    chosen = chosen & index.there()
    val, train = _numbers(chosen & (index.split == VAL)), _numbers(chosen & (index.split != VAL))
    if not 0.0 <= number("data.held_out", held_out) < 1.0:
        raise ConfigError(f"data.held_out must be a share from 0 to below 1, but is {held_out}.")
    if not len(train):
        train = val
    elif not len(val):
        held = _least(mixed(index.hashes[train], "held out", seed), held_out)
        val, train = train[held], train[~held]
    rows = Rows(index, train)
    return rows, Rows(index, val) if len(val) else rows


def _numbers(chosen: Bool[ndarray, "count"]) -> Integer[ndarray, "chosen"]:
    return np.flatnonzero(chosen).astype(np.int32)


def _least(values: UInt64[ndarray, "count"], share: float) -> Bool[ndarray, "count"]:
    """Choose a share of the different values, the least ones, and say where they stand."""
    ranked = np.sort(values)  # several times as fast as np.unique, which hashes
    different = np.cumsum(np.append(True, ranked[1:] != ranked[:-1]), dtype=np.int32)
    count = int(different[-1] * share)
    return np.asarray(values <= ranked[np.searchsorted(different, count)]) if count else np.zeros(len(values), bool)
