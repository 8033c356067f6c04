"""Of what pictures a side of an unpaired problem is made: a folder, WikiArt, Places, tar shards, or an address."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from ganstyle.data.catalogue import CATALOGUE
from ganstyle.data.files import Files, PathFiles
from ganstyle.data.folders import held_out_folder, missing, pictures_in, split
from ganstyle.data.index import Index, halved
from ganstyle.data.names import slug
from ganstyle.data.places import places
from ganstyle.data.remote import remote
from ganstyle.data.shards import shards
from ganstyle.data.wikiart import wikiart
from ganstyle.errors import ConfigError, DataError, unknown

Words = str | Sequence[str] | None
"""One name or several; None takes everything."""
RESEARCH = "non-commercial research only"
PLACES = ("places", "places-small", "places-large")
ROOTS = {"wikiart": "data/wikiart", **dict.fromkeys(PLACES, "data/places365")}
"""Collections that are known by a word, and where they lie unless another folder is named."""
KINDS = {"wikiart": ("artist", "genre", "style"), **dict.fromkeys(PLACES, ("category",))}
"""Kinds of label by which each can be filtered."""


@dataclass(frozen=True)
class Side:
    """One of the two collections."""

    name: str
    train: Files
    test: Files
    licence: str
    filters: frozenset[str] = frozenset()
    """The kinds of label that chose its pictures and that its address does not name."""


@dataclass(frozen=True)
class Choice:
    """How a side takes pictures out of what is there."""

    only: Mapping[str, Words]
    """Artists, styles, genres and categories by their names."""
    held_out: float
    seed: int
    at: Path | None
    """The folder of indexes; None puts each beside its pictures."""


def side(root: str | None, place: str | None, letter: str, choice: Choice) -> Side:
    """Find the pictures of one side, and hold some out.

    Args:
        root: a folder with trainA and trainB.
        place: takes the place of root: a folder; `wikiart` or `places`, perhaps with `:FOLDER` and `?style=NAME`; tar
            files by a pattern; an address that fsspec reaches.
        letter: which of A and B the side is under root.
        choice: what is taken.

    Raises:
        DataError: there is nothing, or it cannot be read.
        ConfigError: a filter names what the collection does not know.
    """
    if place is None or not (opened := _opener(place, choice.at)):
        return _of_folder(Path(place) if place is not None else _train_folder(root, letter), choice)
    name, licence, opener, own = opened
    index = opener()
    only = {**choice.only, **own}
    used = {kind: words for kind, words in only.items() if words is not None and kind in index.labels}
    if empty := [kind for kind, words in used.items() if not words]:
        raise ConfigError(f"data.{empty[0]} names nothing; name one, or leave it null.")
    train, test = halved(index, rows(index, used), choice.held_out, choice.seed)
    if not len(train):
        raise DataError(f"{place} holds no picture with {_worded(used)}.")
    return Side(f"{name} ({_worded(used)})" if used else name, train, test, licence, frozenset(used) - frozenset(own))


def rows(index: Index, only: Mapping[str, Words]) -> Bool[ndarray, "count"]:
    """Say which rows bear one of the names that are asked for, in every kind of label; `field` means `field/wild`, too.

    Raises:
        ConfigError: nothing bears such a name.
    """
    chosen = np.ones(len(index), bool)
    for kind, words in only.items():
        names = [slug(name) for name in index.names[kind]]
        wanted = [number for word in _several(words) for number in _numbers(kind, word, names)]
        chosen &= np.isin(index.labels[kind], np.array(wanted, np.int32))
    return chosen


def _several(words: Words) -> list[str]:
    if words is None:
        return []
    return [str(word) for word in ([words] if isinstance(words, str) or not isinstance(words, Sequence) else words)]


def _numbers(kind: str, word: str, names: Sequence[str]) -> list[int]:
    asked = slug(word)
    found = [number for number, name in enumerate(names) if name == asked or name.startswith(f"{asked}/")]
    if not found:
        raise ConfigError(unknown(f"data.{kind}", word, names))
    return found


def _worded(only: Mapping[str, Words]) -> str:
    return ", ".join(f"{kind} {' or '.join(_several(words))}" for kind, words in sorted(only.items()))


def _opener(place: str, at: Path | None) -> tuple[str, str, Callable[[], Index], dict[str, list[str]]] | None:
    """Recognize what is no folder: return its name, its licence, how to open its index, and its own filters."""
    if "://" in place or place.endswith(".tar"):
        return place.rpartition("/")[2] or place, f"unknown ({place})", lambda: _foreign(place, at), {}
    address, _, query = place.partition("?")
    word, _, folder = address.partition(":")
    if word not in ROOTS:
        return None
    root, own = Path(folder or ROOTS[word]), _filters(place, word, query)
    if word == "wikiart":
        return word, f"{RESEARCH} (WikiArt)", lambda: wikiart(root, at), own
    size = word.partition("-")[2] or "auto"
    return word, f"{RESEARCH} (Places365)", lambda: places(root, size, at), own


def _filters(place: str, word: str, query: str) -> dict[str, list[str]]:
    """Read the filters in an address; raises ConfigError for one that the collection lacks, or that has no name."""
    own, kinds = parse_qs(query, keep_blank_values=True), KINDS[word]
    told = f"{word} can be filtered by {' or '.join(kinds)}"
    if wrong := sorted(set(own) - set(kinds)):
        raise ConfigError(f"unknown filter {wrong[0]!r} in {place}; {told}.")
    if empty := [kind for kind, names in own.items() if not all(names)]:
        raise ConfigError(f"the filter {empty[0]} in {place} has no name; {told}, each written as ?{empty[0]}=NAME.")
    return own


def _foreign(place: str, at: Path | None) -> Index:
    """Open tar files, or a folder on another machine."""
    if place.endswith(".tar"):
        return shards(place, at)
    if at is None:
        raise DataError(f"the index of {place} must lie on this machine; give data.index=FOLDER.")
    return remote(place, at)


def _of_folder(place: Path, choice: Choice) -> Side:
    """Take a folder, and hold out its test folder or a share of it."""
    paths, test = pictures_in(place), held_out_folder(place)
    above = place.resolve().parent.name
    licence = CATALOGUE[above].licence if above in CATALOGUE else f"unknown ({above})"
    if test is not None:
        return Side(f"{above}/{place.name}", PathFiles(paths), PathFiles(pictures_in(test)), licence)
    kept, chosen = split(paths, choice.held_out, choice.seed)
    train = PathFiles(kept)
    return Side(f"{above}/{place.name}", train, PathFiles(chosen) if chosen else train, licence)


def _train_folder(root: str | None, letter: str) -> Path:
    """Return the training folder of one side; raises DataError in one sentence if it cannot be there."""
    if root is None:
        raise DataError(
            "unpaired data needs data.root, a folder with trainA and trainB, or data.source and data.target."
        )
    if not Path(root).is_dir():
        raise DataError(missing(Path(root)))
    folder = Path(root) / f"train{letter}"
    if not folder.is_dir():
        hint = (
            "it looks paired: say data=paired"
            if (Path(root) / "train").is_dir()
            else "or give data.source and data.target"
        )
        raise DataError(f"{root} has no folder train{letter}, which unpaired data needs beside its twin; {hint}.")
    return folder
