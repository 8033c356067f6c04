"""Pairs: the same thing seen in two ways, either both halves in one file or twin files of the same name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import torch

from ganstyle.data.cache import Keeping
from ganstyle.data.catalogue import CATALOGUE
from ganstyle.data.folders import content_hash, held_out_folder, missing, pictures_in, sides, split, spread
from ganstyle.data.order import drawn
from ganstyle.data.pictures import MEMORY, Pictures, by_short_side
from ganstyle.data.problem import Example, Problem, scaled
from ganstyle.data.tolerant import SKIP, STOP, Tolerant
from ganstyle.data.transforms import Augmentation, framed
from ganstyle.draws import seed_of
from ganstyle.errors import DataError
from ganstyle.images import Pixels, dimensions, planes, to_tensor

Pair = tuple[Path, ...]
"""One file with A left and B right, or the files of A and B."""
Both: TypeAlias = tuple[Pixels, Pixels]
"""Source and target pixels of one size."""


def paired(
    root: str | None = None,
    *,
    source: str | None = None,
    target: str | None = None,
    direction: str = "AtoB",
    resize: int | None = 286,
    crop: int = 256,
    flip: bool = True,
    augment: Mapping[str, Mapping[str, Any]] | None = None,
    view: int | None = None,
    val: int | None = 32,
    held_out: float = 0.1,
    on_bad_image: str = STOP,
    cache: str | None = None,
    cache_limit: int | float = 64.0,
    seed: int = 0,
) -> Problem:
    """Pose the paired problem.

    Under `root` lie either `train` (and `val` or `test`) with both halves in one file, A left and B right; or the twin
    folders `trainA trainB` (and `testA testB`). `source` and `target` name any two twin folders instead. What has no
    held-out folder holds out the share `held_out`, chosen by seed and content.

    Args:
        root: the folder of the collection; `direction` says which half is the source.
        source: a folder of source pictures; `target` holds a file of the same stem for each.
        target: a folder of target pictures.
        direction: AtoB or BtoA.
        resize: pixels to which the short side of both pictures is brought; None leaves the size.
        crop: side of the training pictures.
        flip: mirror every second pair.
        augment: further albumentations, by name, the same for both pictures.
        view: side of the pictures in validation and test; None means `crop`.
        val: how many of the held-out pairs are looked at during training.
        held_out: the share held out where there is no folder for it.
        on_bad_image: what is done when a pair can no longer be read: stop, or skip it (see `Tolerant`).
        cache: a folder that keeps the training pictures in their size; None decodes what memory cannot hold.
        cache_limit: GiB that the folder may take.
        seed: shuffles, augments and splits.

    Raises:
        DataError: a folder that is missing or holds no picture, pairs that do not match.
        ConfigError: a value that does not fit.
    """
    first, _ = sides(direction)
    train, test, folder = _find(root, source, target, held_out, seed)
    mirrored = first == "B" and source is None
    augmentation = Augmentation(crop, flip=flip, extra=augment)
    side = view or crop
    endless = Paired(
        _open(train, mirrored, resize, crop, on_bad_image, keeping=Keeping.of(cache, cache_limit)), augmentation, seed
    )
    judged = HeldOut(_open(test, mirrored, side, 1, on_bad_image, budget=0), side)
    looked_at = HeldOut(_open(spread(test, val), mirrored, side, 1, on_bad_image), side)
    return Problem(endless, looked_at, judged, _card(folder, train, test, direction))


@dataclass(frozen=True)
class Halves:
    """Pairs in one file each."""

    whole: Pictures
    mirrored: bool
    """The source is the right half."""

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self.whole)

    def __getitem__(self, number: int) -> Both:
        """Cut a file in two."""
        pixels = self.whole[number]
        middle = pixels.shape[1] // 2
        left, right = pixels[:, :middle], pixels[:, middle:]
        return (right, left) if self.mirrored else (left, right)


@dataclass(frozen=True)
class Twins:
    """Pairs in two files each."""

    sources: Pictures
    targets: Pictures

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self.sources)

    def __getitem__(self, number: int) -> Both:
        """Return the twins."""
        return self.sources[number], self.targets[number]


@dataclass(frozen=True)
class Paired:
    """Training pairs without end, shuffled anew in every epoch."""

    pairs: Tolerant[Both]
    augmentation: Augmentation
    seed: int

    def __len__(self) -> int:
        """Count the pairs of one epoch."""
        return len(self.pairs)

    def __getitem__(self, number: int) -> Example:
        """Return image number `number` of the run."""
        return scaled(self.in_bytes(number))

    def in_bytes(self, number: int) -> Example:
        """Return the same with its pictures as bytes."""
        pair = self.pairs[drawn(number, len(self.pairs), self.seed, "pair")]
        source, target = self.augmentation.both(seed_of(self.seed, "augment", number), *pair)
        seed = torch.tensor(seed_of(self.seed, "image", number))
        return {"source": planes(source), "target": planes(target), "seed": seed}

    def write_down(self, file: Path, part: str) -> None:
        """Count what is left out in a file that all processes of a run share."""
        self.pairs.write_down(file, f"{part}/pair")


@dataclass(frozen=True)
class HeldOut:
    """Every held-out pair once, framed."""

    pairs: Tolerant[Both]
    side: int

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self.pairs)

    def __getitem__(self, number: int) -> Example:
        """Return a pair, whose target is the known answer."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        source, target = (to_tensor(framed(pixels, self.side)) for pixels in self.pairs[number])
        return {"source": source, "target": target, "truth": target, "seed": torch.tensor(seed_of("held out", number))}

    def write_down(self, file: Path, part: str) -> None:
        """Count what is left out in a file that all processes of a run share."""
        self.pairs.write_down(file, f"{part}/pair")


def by_half(height: int, width: int, *, short: int | None, least: int = 1) -> tuple[int, int]:
    """Bring the short side of either half to `short` pixels, but no smaller than `least`."""
    tall, wide = by_short_side(height, width // 2, short=short, least=least)
    return tall, 2 * wide


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


def check(pairs: Sequence[Pair]) -> None:
    """Look at the headers; raises DataError for twins of unequal size, or a file that cannot be halved."""
    for pair in pairs:
        sizes = [dimensions(path) for path in pair]
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


def _find(
    root: str | None, source: str | None, target: str | None, held_out: float, seed: int
) -> tuple[list[Pair], list[Pair], Path]:
    """Find the pairs to train on, those held out, and the folder that gives the collection its name."""
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


def _divide(first: Path, second: Path | None, held_out: float, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Return the pairs of a training folder (or of twin folders) and those held out, in a folder or by content."""
    pairs, test = _pairs(first, second), held_out_folder(first)
    twin = None if second is None else held_out_folder(second)
    if test is not None and (second is None or twin is not None):
        return pairs, _pairs(test, twin)
    kept, chosen = split([pair[0] for pair in pairs], held_out, seed)
    held = set(chosen or kept)
    train = set(kept)
    return [pair for pair in pairs if pair[0] in train], [pair for pair in pairs if pair[0] in held]


def _pairs(first: Path, second: Path | None) -> list[Pair]:
    """List and check the pairs in one folder or two."""
    pairs: list[Pair] = [(path,) for path in pictures_in(first)] if second is None else twins(first, second)
    check(pairs)
    return pairs


def _open(
    pairs: Sequence[Pair],
    mirrored: bool,
    short: int | None,
    least: int,
    on_bad_image: str,
    *,
    budget: int = MEMORY,
    keeping: Keeping | None = None,
) -> Tolerant[Both]:
    """Decode pairs, source first; where a twin cannot be read, another pair stands in for both."""
    lenient = on_bad_image == SKIP
    if len(pairs[0]) == 1:
        fit = partial(by_half, short=short, least=least)
        wholes = Pictures([pair[0] for pair in pairs], fit, budget, lenient=lenient, keeping=keeping)
        return Tolerant(Halves(wholes, mirrored), on_bad_image)
    fit = partial(by_short_side, short=short, least=least)
    a, b = (Pictures([pair[side] for pair in pairs], fit, budget, lenient=lenient, keeping=keeping) for side in (0, 1))
    return Tolerant(Twins(b, a) if mirrored else Twins(a, b), on_bad_image)


def _card(folder: Path, train: Sequence[Pair], test: Sequence[Pair], direction: str) -> dict[str, Any]:
    """Say what was trained on, in plain values and without the paths of this machine."""
    known = CATALOGUE.get(folder.name)
    return {
        "name": folder.resolve().name,
        "direction": direction,
        "known_answer": True,
        "counts": {"train": len(train), "test": len(test)},
        "content": content_hash([path for pair in train for path in pair]),
        "licence": known.licence if known else "unknown",
    }
