"""Which photographs and which references a command line asks to be judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ganstyle.data.folders import missing, pictures_in, sides, spread
from ganstyle.data.toy import landscapes
from ganstyle.errors import DataError
from ganstyle.images import Pixels, read
from ganstyle.metrics.sets import References, Sources, read_references, read_sources, references_of, square, stacked

SPLITS = ("train", "val", "test")
TOYS = ("toy", "toy_unpaired")
TOY_SIDE, TOY_SCENES, TOY_TRAINED = 96, 64, 256
SIDE = 256
ALL = "all target images, train and test"


@dataclass(frozen=True)
class Wanted:
    """What the command line says of the data."""

    data: str
    split: str = "test"
    direction: str | None = None
    """AtoB or BtoA; None where the data set's layout or name tells."""
    reference: Path | None = None
    size: int | None = None
    limit: int | None = None
    stems: frozenset[str] | None = None
    """Judge only photographs of these stems; None means all."""

    @property
    def side(self) -> int:
        """Side of the pictures that are judged."""
        return self.size or (TOY_SIDE if self.data in TOYS else SIDE)


class Sets(NamedTuple):
    """What was found."""

    sources: Sources
    references: References
    stems: frozenset[str]
    """Of all photographs there are, judged or not."""


def find(wanted: Wanted) -> Sets:
    """Read photographs and references.

    Raises:
        DataError: a folder that is missing, holds no picture or has no such split; no reference for a plain folder.
    """
    if wanted.data in TOYS and not Path(wanted.data).exists():
        return _toy(wanted)
    root = Path(wanted.data)
    if not root.is_dir():
        raise DataError(missing(root))
    if (root / "trainA").is_dir() or (root / f"{wanted.split}A").is_dir():
        return _two_sides(root, wanted)
    if any((root / split).is_dir() for split in SPLITS):
        return _halves(root, wanted)
    return _plain(root, wanted)


def _toy(wanted: Wanted) -> Sets:
    """Draw toy scenes; the answer to each is known, and the paintings of the training set are references too."""
    count = wanted.limit or (TOY_TRAINED if wanted.split == "train" else TOY_SCENES)
    scenes, truths = landscapes(wanted.split, count, wanted.side)
    sources = Sources(
        f"{wanted.data}, {wanted.split}",
        tuple(f"scene-{number:04d}" for number in range(count)),
        stacked(list(scenes)),
        stacked(list(truths)),
    )
    split = "train" if wanted.data == "toy" else "train paintings"
    paintings = [*landscapes(split, TOY_TRAINED, wanted.side)[1], *landscapes("test", TOY_SCENES, wanted.side)[1]]
    references = _given(wanted) or references_of(f"{ALL} of {wanted.data}", paintings, wanted.side)
    return Sets(_kept(sources, wanted), references, frozenset(sources.stems))


def _two_sides(root: Path, wanted: Wanted) -> Sets:
    """Read `testB` and the paintings of `trainA` and `testA`, or the other way round."""
    source, target = sides(wanted.direction or direction_of(root.name))
    name, folder = root.resolve().name, _split_folder(root, wanted.split, source)
    paths = pictures_in(folder)
    sources = read_sources(f"{name}, {folder.name}", _chosen(paths, wanted), wanted.side)
    references = _given(wanted) or read_references(f"{ALL} of {name}", _everything(root, target), wanted.side)
    return Sets(sources, references, _stems(paths))


def _everything(root: Path, side: str = "") -> list[Path]:
    """List the pictures of one side, whatever the split."""
    folders = [folder for split in SPLITS if (folder := root / f"{split}{side}").is_dir()]
    return [path for folder in folders for path in pictures_in(folder)]


def _stems(paths: Sequence[Path]) -> frozenset[str]:
    return frozenset(path.stem for path in paths)


def direction_of(name: str) -> str:
    """Say which side of a public set is the source: the photographs of `monet2photo` are B, as its name says."""
    return "BtoA" if name.endswith("2photo") else "AtoB"


def _split_folder(root: Path, split: str, side: str = "") -> Path:
    names = [split, *(["val"] if split == "test" else [])]
    found = next((folder for name in names if (folder := root / f"{name}{side}").is_dir()), None)
    if found is None:
        there = ", ".join(sorted(folder.name for folder in root.iterdir() if folder.is_dir()))
        raise DataError(f"{root} has no folder {split}{side}, only {there}; choose another --split or --direction.")
    return found


def _halves(root: Path, wanted: Wanted) -> Sets:
    """Read pairs that lie side by side in one file, A left and B right."""
    source, _ = sides(wanted.direction or "AtoB")
    folder = _split_folder(root, wanted.split)
    name, everything = root.resolve().name, pictures_in(folder)
    paths = _chosen(everything, wanted)
    pairs = [_cut(path, source) for path in paths]
    sources = Sources(
        f"{name}, {folder.name}",
        tuple(path.stem for path in paths),
        stacked([square(pair[0], wanted.side) for pair in pairs]),
        stacked([square(pair[1], wanted.side) for pair in pairs]),
        paired=True,
    )
    references = _given(wanted)
    if references is None:
        targets = [_cut(path, source)[1] for path in _everything(root)]
        references = references_of(f"{ALL} of {name}", targets, wanted.side)
    return Sets(sources, references, _stems(everything))


def _cut(path: Path, source: str) -> tuple[Pixels, Pixels]:
    """Cut a file in two, source first."""
    pixels = read(path)
    if pixels.shape[1] % 2:
        raise DataError(f"{path} is {pixels.shape[1]} pixels wide, which cannot be cut into two equal halves.")
    middle = pixels.shape[1] // 2
    left, right = pixels[:, :middle], pixels[:, middle:]
    return (left, right) if source == "A" else (right, left)


def _plain(root: Path, wanted: Wanted) -> Sets:
    """Read a folder of photographs; what the style is has to be said."""
    paths = pictures_in(root)
    references = _given(wanted)
    if references is None:
        raise DataError(f"{root} is a plain folder of photographs; say by --reference which paintings show the style.")
    return Sets(read_sources(root.resolve().name, _chosen(paths, wanted), wanted.side), references, _stems(paths))


def _given(wanted: Wanted) -> References | None:
    """Read the folder that --reference names."""
    if wanted.reference is None:
        return None
    return read_references(wanted.reference.resolve().name, pictures_in(wanted.reference), wanted.side)


def _chosen(paths: Sequence[Path], wanted: Wanted) -> list[Path]:
    """Keep the photographs that have a result, and no more than asked for, at even distances."""
    there = [path for path in paths if wanted.stems is None or path.stem in wanted.stems]
    if not there:
        raise _unlike(len(paths), wanted)
    return spread(there, wanted.limit)


def _unlike(count: int, wanted: Wanted) -> DataError:
    return DataError(f"none of the {count} photographs of {wanted.data} has a result of the same file stem.")


def _kept(sources: Sources, wanted: Wanted) -> Sources:
    there = [n for n, stem in enumerate(sources.stems) if wanted.stems is None or stem in wanted.stems]
    if not there:
        raise _unlike(len(sources.stems), wanted)
    return sources.only(there)


def unmatched(name: str, results: frozenset[str], photographs: frozenset[str]) -> list[str]:
    """Say in one sentence which photographs have no result and which results no photograph, if there are any."""
    missed, idle = sorted(photographs - results), sorted(results - photographs)
    parts = [
        f"{len(some)} of {len(whole)} {what} (the first is {some[0]})"
        for some, whole, what in (
            (missed, photographs, f"photographs have no result in {name}"),
            (idle, results, f"results in {name} have no photograph"),
        )
        if some
    ]
    return [f"{' and '.join(parts)}; they take no part."] if parts else []
