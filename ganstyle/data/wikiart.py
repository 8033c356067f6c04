"""WikiArt as ArtGAN released it: a folder for each style, lists of styles, artists and genres; or its parquet files."""

import csv
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ganstyle.data.folders import fingerprint
from ganstyle.data.index import TRAIN, UNKNOWN, UNTOLD, VAL, Index, Listing, Numbers, indexed, place_of, told
from ganstyle.data.lists import lines
from ganstyle.data.names import matched, slug
from ganstyle.data.parquet import parquet
from ganstyle.data.readers import Local
from ganstyle.decode import is_picture
from ganstyle.errors import DataError

log = logging.getLogger(__name__)
LISTS = ("wikiart_csv", "WikiArt_csv", ".")
"""Folders, beside the styles or above them, in which ArtGAN's lists are looked for."""
SHOWN = 100
"""Letters of a line that a message shows."""
SPLITS = {"train": TRAIN, "val": VAL}
Rows = dict[str, tuple[int, int]]
"""For every name that a list holds, its split and its number."""


def wikiart(root: Path, at: Path | None = None) -> Index:
    """Index the paintings of WikiArt, with the labels artist, style and genre.

    Under `root`, or `root/wikiart`, lies a folder for each style with files `<artist-slug>_<title>.jpg`; ArtGAN's lists
    (`style_train.csv`, `style_val.csv`, `genre_class.txt` and so on) lie there, above or in `wikiart_csv`. They say
    what is held out and of what genre a painting is; without them the index knows artist and style. A folder with
    parquet files is taken for `huggan/wikiart`.

    Args:
        root: the folder of the collection.
        at: the folder of the index; None puts it under `root`.

    Raises:
        DataError: there is no such folder, or no painting in it.
    """
    if not root.is_dir():
        raise DataError(
            f"there is no folder {root}; unpack WikiArt there as ArtGAN released it (see data/README.md), or say where "
            "it is: wikiart:FOLDER."
        )
    if parquets := sorted(path for path in root.rglob("*.parquet") if ".ganstyle" not in path.parts):
        return parquet(root, parquets, ("artist", "genre", "style"), at)
    place = root / "wikiart" if (root / "wikiart").is_dir() else root
    styles = sorted(path.name for path in place.iterdir() if path.is_dir() and not path.name.startswith((".", "wikia")))
    lists = _lists(place)
    plan = {
        "kind": "wikiart",
        "styles": {style: (place / style).stat().st_mtime_ns for style in styles},
        "lists": {path.name: fingerprint(path) for path in lists},
    }
    folder = place_of("wikiart", root, at)
    index = indexed(folder, plan, partial(_listing, place, styles, lists), Local(place), f"the paintings in {place}")
    return told(index, f"WikiArt in {place}")


def _lists(place: Path) -> list[Path]:
    """Find ArtGAN's lists and the names of their classes."""
    folders = [base / name for base in (place, place.parent) for name in LISTS]
    found: dict[str, Path] = {}
    for folder in folders:
        for kind in ("style", "artist", "genre"):
            for name in (f"{kind}_train.csv", f"{kind}_val.csv", f"{kind}_class.txt"):
                if name not in found and (folder / name).is_file():
                    found[name] = folder / name
    return [found[name] for name in sorted(found)]


def _listing(place: Path, styles: Sequence[str], lists: Sequence[Path]) -> Listing:
    """List every painting on disk, with what its path and the lists say of it."""
    files = [
        f"{style}/{path.name}" for style in styles for path in sorted((place / style).iterdir()) if is_picture(path)
    ]
    by_name = {path.name: path for path in lists}
    style_rows, genre_rows = (_read(by_name, kind) for kind in ("style", "genre"))
    known = _located(files, style_rows.keys() | genre_rows.keys() | _read(by_name, "artist").keys())
    artist, artists = numbered(slug(file.partition("/")[2].partition("_")[0]) for file in files)
    style, style_names = numbered(slug(file.partition("/")[0]) for file in files)
    genre = np.array([genre_rows.get(known.get(file, ""), (0, UNKNOWN))[1] for file in files], np.int32)
    split = np.array([style_rows.get(known.get(file, ""), (UNTOLD, 0))[0] for file in files], np.uint8)
    return Listing(
        files,
        np.where(split == UNTOLD, TRAIN, split) if style_rows else split,
        {"artist": artist, "style": style, "genre": genre},
        {"artist": artists, "style": style_names, "genre": _classes(by_name, genre)},
    )


def _located(files: Sequence[str], wanted: Iterable[str]) -> dict[str, str]:
    """Return for every file on disk the name that the lists have for it, and report names without a file."""
    names = sorted(wanted)
    found = matched(names, files)
    missing = [name for name, file in zip(names, found, strict=True) if file is None]
    renamed = sum(file not in (None, name) for name, file in zip(names, found, strict=True))
    if missing or renamed:
        log.warning(
            "WikiArt's lists name %s paintings: %s are on disk under a slightly different name, %s are not there%s.",
            *(f"{len(names):,}", f"{renamed:,}", f"{len(missing):,}"),
            f" (the first being {missing[0]})" if missing else "",
        )
    return {file: name for name, file in zip(names, found, strict=True) if file is not None}


def _read(lists: Mapping[str, Path], kind: str) -> Rows:
    """Read the two lists of a kind: `Impressionism/edgar-degas_the-curtain.jpg,12`, without a header."""
    rows: Rows = {}
    for split, number in SPLITS.items():
        path = lists.get(f"{kind}_{split}.csv")
        if path is None:
            continue
        for name, label in _pairs(path):
            rows[name] = (number, label)
    return rows


def _pairs(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the names and numbers in a list; blank lines are passed over."""
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        reader, begins = csv.reader(file), 1
        try:
            for line in reader:
                if line:
                    yield _pair(line, f"line {begins} of {path}")
                begins = reader.line_num + 1
        except csv.Error as error:
            raise DataError(f"line {begins} of {path} cannot be read ({error}).") from None


def _pair(line: Sequence[str], place: str) -> tuple[str, int]:
    if len(line) != 2 or not line[1].strip().isdecimal():
        raise DataError(f"{place} is {','.join(line)[:SHOWN]!r}, but ArtGAN's are like Style/file.jpg,12.")
    return line[0], int(line[1])


def _classes(lists: Mapping[str, Path], numbers: Numbers) -> list[str]:
    """Name the genres: `9 still_life`; by their number where nothing names them."""
    names = {int(number): str(int(number)) for number in np.unique(numbers) if number != UNKNOWN}
    if "genre_class.txt" in lists:
        for _, line in lines(lists["genre_class.txt"]):
            number, _, name = line.partition(" ")
            if number.isdecimal():
                names[int(number)] = slug(name)
    return [names.get(number, str(number)) for number in range(max(names, default=-1) + 1)]


def numbered(words: Iterable[str]) -> tuple[Numbers, list[str]]:
    """Replace words by numbers: return the number of each, and the words in order."""
    given = list(words)
    names, numbers = np.unique(given, return_inverse=True)
    return numbers.astype(np.int32), names.tolist()
