"""Which files belong together: both halves of a pair in one, or twins of the same name in two folders."""

import logging
from collections.abc import Sequence
from pathlib import Path

from ganstyle.data.folders import HELD_OUT, held_out_folder, missing, pictures_in, sibling, split
from ganstyle.errors import DataError, ImageError
from ganstyle.images import dimensions

log = logging.getLogger(__name__)
Pair = tuple[Path, ...]
"""One file with A left and B right, or the files of A and B."""


def find(
    root: str | None, source: str | None, target: str | None, held_out: float, seed: int
) -> tuple[list[Pair], list[Pair], Path]:
    """Find the pairs to train on, those held out, and the folder that gives the collection its name.

    Raises:
        DataError: a folder is missing or holds no picture, or files have no twin.
    """
    if (source is None) != (target is None):
        raise DataError("paired data needs both data.source and data.target, or data.root alone.")
    if source is not None and target is not None:
        return *_divide(Path(source), Path(target), held_out, seed), Path(source).parent
    if root is None:
        raise DataError("paired data needs data.root, or the twin folders data.source and data.target.")
    place = Path(root)
    if not place.is_dir():
        raise DataError(missing(place))
    if (place / "train").is_dir():
        return *_divide(place / "train", None, held_out, seed), place
    return *_divide(place / "trainA", place / "trainB", held_out, seed), place


def twins(sources: Path, targets: Path) -> list[Pair]:
    """Match the files of two folders by their names without suffix; raises DataError if one has no twin."""
    left, right = _by_stem(sources), _by_stem(targets)
    alone = sorted(left.keys() ^ right.keys())
    if alone:
        raise DataError(
            f"{sources} holds {len(left)} pictures and {targets} {len(right)}, and {len(alone)} of them have no twin "
            f"of the same stem, the first being {alone[0]}."
        )
    return [(left[stem], right[stem]) for stem in left]


def check(pairs: Sequence[Pair], *, lenient: bool = False) -> None:
    """Look at the headers; raises DataError for twins of unequal size, or a file that cannot be halved.

    What is no picture is left, where one is lenient, to whoever asks for it.
    """
    for pair in pairs:
        try:
            sizes = [dimensions(path) for path in pair]
        except ImageError:
            if not lenient:
                raise
            continue
        if len(pair) == 1 and sizes[0][1] % 2:
            raise DataError(f"{pair[0]} is {sizes[0][1]} pixels wide, which cannot be cut into two equal halves.")
        if len(pair) == 2 and sizes[0] != sizes[1]:
            (tall, wide), (high, broad) = sizes
            raise DataError(f"{pair[0]} has {wide} x {tall} pixels but its twin {pair[1]} has {broad} x {high}.")


def _by_stem(folder: Path) -> dict[str, Path]:
    """Index the pictures in a folder by their path in it, without suffix."""
    found: dict[str, Path] = {}
    for path in pictures_in(folder):
        stem = path.relative_to(folder).with_suffix("").as_posix()
        if stem in found:
            raise DataError(
                f"{found[stem]} and {path} have the same stem, so that their twin is ambiguous; rename one."
            )
        found[stem] = path
    return found


def _divide(first: Path, second: Path | None, held_out: float, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Return the pairs of a training folder (or of twin folders) and those held out, in a folder or by content."""
    pairs = _pairs(first, second)
    test, twin = (held_out_folder(first), None) if second is None else held_out_twins(first, second)
    if test is not None:
        return pairs, _pairs(test, twin)
    kept, chosen = split([pair[0] for pair in pairs], held_out, seed)
    held = set(chosen or kept)
    train = set(kept)
    return [pair for pair in pairs if pair[0] in train], [pair for pair in pairs if pair[0] in held]


def held_out_twins(first: Path, second: Path) -> tuple[Path, Path] | tuple[None, None]:
    """Return the folders beside twin folders that are held out, if there are any.

    Raises:
        DataError: one of them is there without the other.
    """
    for name in HELD_OUT:
        test, twin = sibling(first, name), sibling(second, name)
        there = [folder for folder in (test, twin) if folder and folder.is_dir()]
        if test and twin and len(there) == 2:
            return test, twin
        if test and twin and there:
            lacking = twin if there[0] == test else test
            raise DataError(
                f"{there[0]} has no twin {lacking}; add it, or rename {there[0]}, so that data.held_out says what is "
                "held out."
            )
        if there:
            log.warning("%s is not held out: %s and %s are not called alike.", there[0], first, second)
    return None, None


def _pairs(first: Path, second: Path | None) -> list[Pair]:
    """List the pairs in one folder or two."""
    return [(path,) for path in pictures_in(first)] if second is None else twins(first, second)
