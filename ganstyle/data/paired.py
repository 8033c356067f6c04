"""Pairs: the same thing seen in two ways, either both halves in one file or twin files of the same name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import torch

from ganstyle.data.cache import Keeping
from ganstyle.data.catalogue import CATALOGUE
from ganstyle.data.folders import content_hash, sides, spread
from ganstyle.data.order import drawn
from ganstyle.data.pairs import Pair, check, find
from ganstyle.data.pictures import MEMORY, Pictures, by_short_side
from ganstyle.data.problem import Example, Problem, scaled
from ganstyle.data.tolerant import SKIP, STOP, Tolerant
from ganstyle.data.transforms import Augmentation, check_sides, framed
from ganstyle.draws import seed_of
from ganstyle.images import Pixels, planes, to_tensor

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
        direction: AtoB or BtoA; which half of `root` is the source, while `source` and `target` say it themselves.
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
    check_sides({"resize": resize, "view": view})
    augmentation = Augmentation(crop, flip=flip, extra=augment)
    first, _ = sides(direction)
    train, test, folder = find(root, source, target, held_out, seed)
    check([*dict.fromkeys([*train, *test])], lenient=on_bad_image == SKIP)
    trained = direction if source is None else _direction_of(source, target)
    mirrored = first == "B" and source is None
    side = view or crop
    endless = Paired(
        _open(train, mirrored, resize, crop, on_bad_image, keeping=Keeping.of(cache, cache_limit)), augmentation, seed
    )
    judged = HeldOut(_open(test, mirrored, side, 1, on_bad_image, budget=0), side)
    looked_at = HeldOut(_open(spread(test, val), mirrored, side, 1, on_bad_image), side)
    return Problem(endless, looked_at, judged, _card(folder, train, test, trained), paired=True)


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


def _direction_of(source: str, target: str | None) -> str:
    """Say which way leads from one named folder to the other: BtoA where they are called so, else AtoB."""
    return "BtoA" if target and (Path(source).name, Path(target).name) == ("trainB", "trainA") else "AtoB"


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
    content = content_hash([path for pair in train for path in pair])
    return {
        "name": folder.resolve().name,
        "direction": direction,
        "known_answer": True,
        "counts": {"train": len(train), "test": len(test)},
        "content": content,
        "held_out": content if test == train else content_hash([path for pair in test for path in pair]),
        "licence": known.licence if known else "unknown",
    }
