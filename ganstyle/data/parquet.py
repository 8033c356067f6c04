"""Pictures inside parquet files, as Hugging Face hands out data sets such as `huggan/wikiart`; needs pyarrow."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ganstyle.data.folders import fingerprint
from ganstyle.data.index import UNKNOWN, UNTOLD, Glance, Index, Listing, Numbers, indexed, place_of, told
from ganstyle.data.names import slug
from ganstyle.data.readers import lost, seen
from ganstyle.errors import DataError, ImageError

REMEMBERED = 2
"""Groups of rows that a process keeps: the next picture in order is mostly in one of them."""


@dataclass(frozen=True)
class Column:
    """The labels of one kind in one file."""

    path: Path
    numbers: Numbers
    names: Sequence[str]
    """What the numbers are called there; empty where the file does not say."""


@dataclass
class Packed:
    """Pictures in the column `image` of parquet files under a folder; the offset is the number of the row."""

    root: Path
    _groups: dict[tuple[str, int], list[Any]] = field(default_factory=dict, repr=False, compare=False)

    def content(self, path: str, offset: int, length: int) -> bytes:
        """Return the bytes of a picture; a whole group of rows is read for it."""
        name = path.partition("::")[0]
        try:
            file = opened(self.root / name)
            group, row = _place(file.metadata, offset)
            image = self._group(file, name, group)[row]["bytes"]
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise lost(self.root / name, error) from None
            raise ImageError(f"{self.root / name} holds no picture in row {offset} ({error}).") from None
        if not image:
            raise ImageError(f"{self.root / name} holds no picture in row {offset}.")
        return bytes(image)

    def glance(self, path: str, offset: int, length: int) -> Glance:
        """Look at the bytes of a picture."""
        return seen(self.content(path, offset, length), path)

    def _group(self, file: Any, name: str, group: int) -> list[Any]:
        """Read a group of rows, unless it was among the last ones."""
        found = self._groups.get((name, group))
        if found is None:
            found = file.read_row_group(group, columns=["image"]).column("image").to_pylist()
            for old in list(self._groups)[: max(0, len(self._groups) - REMEMBERED + 1)]:
                self._groups.pop(old, None)
            self._groups[name, group] = found
        return found

    def __reduce__(self) -> Any:
        """Send the folder alone to another process."""
        return Packed, (self.root,)


def parquet(root: Path, files: Sequence[Path], kinds: Sequence[str], at: Path | None = None) -> Index:
    """Index the pictures of parquet files with the labels `kinds`, columns of numbers whose names the files know.

    Random access reads a whole group of rows for a picture: train with `data.cache`, which reads them in order once.

    Raises:
        DataError: pyarrow is not installed, or a file cannot be read.
    """
    names = [path.relative_to(root).as_posix() for path in files]
    plan = {
        "kind": "parquet",
        "files": {name: fingerprint(root / name) for name in names},
        "labels": list(kinds),
        "names": "own",
    }
    folder = place_of("parquet", root, at)
    what = f"the pictures in the parquet files of {root}"
    return told(indexed(folder, plan, partial(_listing, root, names, kinds), Packed(root), what), what)


def opened(path: Path) -> Any:
    """Open a parquet file; raises DataError where pyarrow is missing."""
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise DataError(f"{path} needs pyarrow; pip install 'ganstyle[parquet]' brings it.") from None
    return ParquetFile(path)


def _place(metadata: Any, row: int) -> tuple[int, int]:
    """Return the group that a row is in, and its place there."""
    for group in range(metadata.num_row_groups):
        count = metadata.row_group(group).num_rows
        if row < count:
            return group, row
        row -= count
    raise IndexError("there are fewer rows")


def _listing(root: Path, names: Sequence[str], kinds: Sequence[str]) -> Listing:
    """List the rows of every file with their labels."""
    paths, offsets = list[str](), list[int]()
    columns: dict[str, list[Column]] = {kind: [] for kind in kinds}
    for name in names:
        count, found = _columns(root / name, kinds)
        paths += [f"{name}::{row}" for row in range(count)]
        offsets += range(count)
        for kind in kinds:
            columns[kind].append(found[kind])
    united = {kind: _united(kind, columns[kind]) for kind in kinds}
    numbers = {kind: labels for kind, (labels, _) in united.items()}
    named = {kind: words for kind, (_, words) in united.items()}
    nothing = np.zeros(len(paths), np.int64)
    return Listing(paths, np.full(len(paths), UNTOLD), numbers, named, np.array(offsets), nothing)


def _columns(path: Path, kinds: Sequence[str]) -> tuple[int, dict[str, Column]]:
    """Count the rows of a file, and read its labels; the pictures are looked for, but not read."""
    wanted = ["image", *kinds]
    try:
        file = opened(path)
        if missing := [name for name in wanted if name not in file.schema_arrow.names]:
            raise KeyError(f"it lacks {', '.join(missing)}")
        table = file.read(columns=list(kinds))
        classes = _classes(file, kinds)
        found = {kind: Column(path, _numbers(path, kind, table), classes[kind]) for kind in kinds}
    except (OSError, ValueError, KeyError, OverflowError) as error:
        reason = error.args[0] if isinstance(error, KeyError) else error
        raise DataError(f"{path} is no parquet file with the columns {', '.join(wanted)} ({reason}).") from None
    return file.metadata.num_rows, found


def _numbers(path: Path, kind: str, table: Any) -> Numbers:
    """Take the labels of a kind out of a table; raises DataError where they are no whole numbers."""
    column = table.column(kind)
    if column.null_count:
        row = column.to_pylist().index(None)
        raise DataError(f"{path} has no label in row {row} of its column {kind}; -1 stands for an unknown one.")
    if not str(column.type).startswith(("int", "uint")) and len(column):
        raise DataError(f"{path} must hold whole numbers in its column {kind}, but holds {column.type}.")
    return np.array(column.to_pylist(), np.int32)


def _classes(file: Any, kinds: Sequence[str]) -> dict[str, list[str]]:
    """Read the names of labels, which Hugging Face's library writes into the file's schema."""
    noted = json.loads((file.schema_arrow.metadata or {}).get(b"huggingface", b"{}"))
    features = noted.get("info", {}).get("features", {})
    return {kind: [slug(name) for name in features.get(kind, {}).get("names", [])] for kind in kinds}


def _united(kind: str, columns: Sequence[Column]) -> tuple[Numbers, list[str]]:
    """Join the labels of all files: each has its own order of names; where none has names, numbers are called so.

    Raises:
        DataError: a file has no names, and the others do not agree on them.
    """
    known = {tuple(column.names): None for column in columns if column.names} or {_counted(columns): None}
    names = {name: number for number, name in enumerate(dict.fromkeys(name for order in known for name in order))}
    return np.concatenate([_renumbered(kind, column, list(known), names) for column in columns]), list(names)


def _counted(columns: Sequence[Column]) -> tuple[str, ...]:
    """Call labels by their numbers."""
    return tuple(
        str(n) for n in range(max((int(column.numbers.max(initial=-1)) for column in columns), default=-1) + 1)
    )


def _renumbered(kind: str, column: Column, known: Sequence[tuple[str, ...]], names: Mapping[str, int]) -> Numbers:
    """Replace a file's numbers of names by those of all files together."""
    if not column.names and len(known) > 1:
        raise DataError(f"{column.path} does not name its labels of {kind}, and the files beside it disagree on them.")
    own = np.array([names[name] for name in column.names or known[0]], np.int32)
    is_named = (column.numbers >= 0) & (column.numbers < len(own))
    numbers = np.full(len(column.numbers), UNKNOWN, np.int32)
    numbers[is_named] = own[column.numbers[is_named]]
    return numbers
