"""Two collections without pairs: photographs to restyle, and pictures in the style to learn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ganstyle.data.catalogue import CATALOGUE
from ganstyle.data.folders import content_hash, held_out_folder, missing, pictures_in, sides, split, spread
from ganstyle.data.order import drawn
from ganstyle.data.pictures import MEMORY, Pictures, by_short_side
from ganstyle.data.problem import Example, Problem
from ganstyle.data.transforms import Augmentation, framed
from ganstyle.draws import seed_of
from ganstyle.errors import ConfigError, DataError
from ganstyle.images import to_tensor


def unpaired(
    root: str | None = None,
    *,
    source: str | None = None,
    target: str | None = None,
    direction: str = "AtoB",
    source_resize: int | None = None,
    target_resize: int | None = None,
    crop: int = 256,
    source_scales: Sequence[int | float] = (1.0, 1.0),
    target_scales: Sequence[int | float] = (1.0, 1.0),
    flip: bool = True,
    augment: Mapping[str, Mapping[str, Any]] | None = None,
    view: int | None = None,
    val: int | None = 32,
    held_out: float = 0.1,
    seed: int = 0,
) -> Problem:
    """Pose the unpaired problem: `trainA trainB testA testB` under `root`, or two folders `source` and `target`.

    A folder given by name takes the place of its side. A side without a test folder holds out the share `held_out`,
    chosen by seed and content, rounded down; if that is nothing (eight paintings), it is judged by what it trains on.

    Args:
        root: the folder of the collection; `direction` says which side is the source.
        source: a folder of pictures to restyle, wherever it lies.
        target: a folder of pictures in the style to learn.
        direction: AtoB, or BtoA for the CycleGAN art sets, whose A are paintings.
        source_resize: pixels to which the short side of every source is brought; None leaves the size.
        target_resize: the same for the targets.
        crop: side of the training pictures; smaller ones are enlarged to it.
        source_scales: windows are `crop` times a number between these, as far as a picture reaches.
        target_scales: the same for the targets; 1 to 2 for a few large paintings.
        flip: mirror every second picture.
        augment: further albumentations, by name.
        view: side of the pictures in validation and test; None means `crop`.
        val: how many of the held-out sources are looked at during training.
        held_out: the share held out where there is no test folder.
        seed: shuffles, augments and splits.

    Raises:
        DataError: a folder that is missing or holds no picture.
        ConfigError: a value that does not fit.
    """
    a, b = sides(direction)
    sources = _side(root, source, a, held_out, seed)
    targets = _side(root, target, b, held_out, seed)
    train = Unpaired(
        Pictures(sources.train, partial(by_short_side, short=source_resize, least=crop)),
        Pictures(targets.train, partial(by_short_side, short=target_resize, least=crop)),
        Augmentation(crop, scales=_range(source_scales), flip=flip, extra=augment),
        Augmentation(crop, scales=_range(target_scales), flip=flip, extra=augment),
        seed,
    )
    judged = HeldOut.of(sources.test, targets.test, view or crop, budget=0)
    looked_at = HeldOut.of(spread(sources.test, val), spread(targets.test, val), view or crop)
    return Problem(train, looked_at, judged, _card(sources, targets, judged))


@dataclass(frozen=True)
class Side:
    """One of the two collections."""

    folder: Path
    train: list[Path]
    test: list[Path]


@dataclass(frozen=True)
class Unpaired:
    """Training examples without end; each side goes through its own permutations, epoch after epoch."""

    sources: Pictures
    targets: Pictures
    from_sources: Augmentation
    from_targets: Augmentation
    seed: int

    def __len__(self) -> int:
        """Count the pictures of the larger side."""
        return max(len(self.sources), len(self.targets))

    def __getitem__(self, number: int) -> Example:
        """Return image number `number` of the run."""
        source = self.sources[drawn(number, len(self.sources), self.seed, "source")]
        target = self.targets[drawn(number, len(self.targets), self.seed, "target")]
        return {
            "source": to_tensor(self.from_sources(seed_of(self.seed, "augment source", number), source)),
            "target": to_tensor(self.from_targets(seed_of(self.seed, "augment target", number), target)),
            "seed": torch.tensor(seed_of(self.seed, "image", number)),
        }


@dataclass(frozen=True)
class HeldOut:
    """Every held-out source once, beside held-out targets in turn, framed alike."""

    sources: Pictures
    targets: Pictures
    side: int

    @classmethod
    def of(cls, sources: Sequence[Path], targets: Sequence[Path], side: int, budget: int = MEMORY) -> "HeldOut":
        """Take pictures from files, their short side brought to `side`."""
        fit = partial(by_short_side, short=side)
        return cls(Pictures(sources, fit, budget), Pictures(targets, fit, budget), side)

    def __len__(self) -> int:
        """Count the sources."""
        return len(self.sources)

    def __getitem__(self, number: int) -> Example:
        """Return a source, and a target that has nothing to do with it."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        return {
            "source": to_tensor(framed(self.sources[number], self.side)),
            "target": to_tensor(framed(self.targets[number % len(self.targets)], self.side)),
            "seed": torch.tensor(seed_of("held out", number)),
        }


def _side(root: str | None, folder: str | None, letter: str, held_out: float, seed: int) -> Side:
    """Find the pictures of one side, and hold some out."""
    place = Path(folder) if folder is not None else _train_folder(root, letter)
    paths, test = pictures_in(place), held_out_folder(place)
    if test is not None:
        return Side(place, paths, pictures_in(test))
    train, chosen = split(paths, held_out, seed)
    return Side(place, train, chosen or train)


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


def _range(scales: Sequence[int | float]) -> tuple[float, float]:
    """Check that scales are a pair of numbers."""
    if len(scales) != 2:
        raise ConfigError(f"data.source_scales and data.target_scales take two numbers each, but got {list(scales)}.")
    return float(scales[0]), float(scales[1])


def _card(sources: Side, targets: Side, held_out: HeldOut) -> dict[str, Any]:
    """Say what was trained on, in plain values and without the paths of this machine."""
    names = [side.folder.resolve().parent.name for side in (sources, targets)]
    licences = {CATALOGUE[name].licence if name in CATALOGUE else f"unknown ({name})" for name in names}
    return {
        "name": f"{names[0]}/{sources.folder.name} -> {names[1]}/{targets.folder.name}",
        "known_answer": False,
        "counts": {"source": len(sources.train), "target": len(targets.train), "test": len(held_out)},
        "content": {"source": content_hash(sources.train), "target": content_hash(targets.train)},
        "licence": "; ".join(sorted(licences)),
    }
