"""Folders of pictures: finding them, telling them apart by content, holding some out."""

import os
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from io import BufferedIOBase
from pathlib import Path
from typing import TypeVar

from ganstyle.data.catalogue import CATALOGUE
from ganstyle.draws import seed_of
from ganstyle.errors import ConfigError, DataError, unknown
from ganstyle.images import READABLE, is_picture
from ganstyle.values import number, whole

SAMPLE = 1 << 16
"""Bytes at either end of a file by which it is told from others; most pictures are hashed whole."""
HELD_OUT = ("test", "val")
"""What folders beside a training folder are called, the first one that is there counting."""
DIRECTIONS = ("AtoB", "BtoA")
Item = TypeVar("Item")


def pictures_in(folder: Path) -> list[Path]:
    """List the pictures in a folder and its subfolders, linked ones too, by name; raises DataError if there is none."""
    if not folder.is_dir():
        raise DataError(missing(folder))
    paths = sorted((path for path in _files(folder) if is_picture(path) and path.is_file()), key=Path.as_posix)
    if not paths:
        raise DataError(f"{folder} holds no picture; ganstyle reads {', '.join(sorted(READABLE))}.")
    return paths


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files under a folder; each subfolder once, by its own name rather than by links that lead to it."""
    entered, waiting = set[str](), [folder]
    for start in waiting:  # which grows by the links
        for place, folders, names in os.walk(start):
            if (real := os.path.realpath(place)) in entered:
                folders.clear()
                continue
            entered.add(real)
            folders.sort()
            waiting += [path for name in folders if (path := Path(place, name)).is_symlink()]
            yield from (Path(place, name) for name in names)


def missing(folder: Path) -> str:
    """Say in one sentence that a folder is not there and, for a public data set, how to get it."""
    name = next((part for part in reversed(folder.parts) if part in CATALOGUE), None)
    if name is None:
        return f"there is no folder {folder}; give data.root, or data.source and data.target, folders of your pictures."
    known = CATALOGUE[name]
    return (
        f"there is no folder {folder}: {name} ({known.about}) comes from {known.urls[0]}; "
        f"fetch it with `ganstyle fetch {name}`, or give data.source and data.target folders of your own."
    )


def held_out_folder(train: Path) -> Path | None:
    """Return the folder that is called like a training folder, but test (or else val): `testA` beside `trainA`."""
    return next((folder for name in HELD_OUT if (folder := sibling(train, name)) and folder.is_dir()), None)


def sibling(train: Path, name: str) -> Path | None:
    """Return the path that is called like a training folder, but `name`; None where the folder is not called train."""
    return train.with_name(name + train.name.removeprefix("train")) if train.name.startswith("train") else None


def sides(direction: str) -> tuple[str, str]:
    """Return which of the sides A and B is the source and which the target; raises ConfigError if it is unknown."""
    if direction not in DIRECTIONS:
        raise ConfigError(unknown("data.direction", direction, DIRECTIONS))
    return ("A", "B") if direction == "AtoB" else ("B", "A")


def fingerprint(path: Path) -> str:
    """Hash what a file holds: its length and up to 64 KiB from either end; its name does not count."""
    with path.open("rb") as file:
        return hashed(file)


def hashed(file: BufferedIOBase) -> str:
    """Hash what an open file holds, as `fingerprint` does."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(SAMPLE)
    file.seek(max(file.tell(), size - SAMPLE))
    return blake2b(size.to_bytes(8, "little") + head + file.read(), digest_size=16).hexdigest()


def content_hash(paths: Sequence[Path]) -> str:
    """Hash a collection: the names and fingerprints of its pictures, wherever the folder lies."""
    digest = blake2b(digest_size=16)
    for path in paths:
        digest.update(f"{path.name}\0{fingerprint(path)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def split(paths: Sequence[Path], share: float, seed: int) -> tuple[list[Path], list[Path]]:
    """Divide a collection into what is trained on and what is held out, by seed and content.

    Which picture is held out depends on its bytes, not on its name or on its neighbours' order; copies stay together.
    The share is rounded down, so that a collection of eight, at a tenth, is trained on whole.
    """
    if not 0.0 <= number("data.held_out", share) < 1.0:
        raise ConfigError(f"data.held_out must be a share from 0 to below 1, but is {share}.")
    prints = {path: fingerprint(path) for path in paths}
    ranked = sorted(set(prints.values()), key=lambda content: seed_of("held out", seed, content))
    chosen = set(ranked[: int(len(ranked) * share)])
    kept = [path for path in paths if prints[path] not in chosen]
    return kept, [path for path in paths if prints[path] in chosen]


def spread(items: Sequence[Item], limit: int | None) -> list[Item]:
    """Choose at most `limit` items at even distances; raises ConfigError for a limit below one."""
    count = len(items) if limit is None else min(whole("data.val", limit, least=1), len(items))
    return [items[place * len(items) // count] for place in range(count)]
