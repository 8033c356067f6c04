"""Two collections without pairs: photographs to restyle, and pictures in the style to learn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ganstyle.data.cache import Keeping
from ganstyle.data.files import Files
from ganstyle.data.folders import sides, spread
from ganstyle.data.order import drawn
from ganstyle.data.pictures import MEMORY, Fit, Pictures, by_short_side
from ganstyle.data.problem import Example, Problem, scaled
from ganstyle.data.sides import Choice, Side, Words, side
from ganstyle.data.tolerant import SKIP, STOP, Tolerant
from ganstyle.data.transforms import Augmentation, check_sides, framed, scales_of
from ganstyle.draws import seed_of
from ganstyle.errors import ConfigError
from ganstyle.images import Pixels, planes, to_tensor


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
    whole_scales: bool = False,
    flip: bool = True,
    augment: Mapping[str, Mapping[str, Any]] | None = None,
    view: int | None = None,
    val: int | None = 32,
    held_out: float = 0.1,
    on_bad_image: str = STOP,
    cache: str | None = None,
    cache_limit: int | float = 64.0,
    artist: Words = None,
    style: Words = None,
    genre: Words = None,
    category: Words = None,
    index: str | None = None,
    seed: int = 0,
) -> Problem:
    """Pose the unpaired problem: `trainA trainB testA testB` under `root`, or two folders `source` and `target`.

    A folder given by name takes the place of its side. A side without a test folder holds out the share `held_out`,
    chosen by seed and content, rounded down; if that is nothing (eight paintings), it is judged by what it trains on.

    Args:
        root: the folder of the collection; `direction` says which side is the source.
        source: pictures to restyle: a folder; `places`, `wikiart` (or `places:FOLDER`); tar files or an address.
        target: the same for pictures in the style to learn.
        direction: AtoB, or BtoA for the CycleGAN art sets, whose A are paintings.
        source_resize: pixels to which the short side of every source is brought; None leaves the size.
        target_resize: the same for the targets.
        crop: side of the training pictures; smaller ones are enlarged to it.
        source_scales: windows are `crop` times a number between these, as far as a picture reaches.
        target_scales: the same for the targets; 1 to 4 for a few large paintings.
        whole_scales: only whole numbers between these, each drawn as often as so many windows fit next to each other.
        flip: mirror every second picture.
        augment: further albumentations, by name.
        view: side of the pictures in validation and test; None means `crop`.
        val: how many of the held-out sources are looked at during training.
        held_out: the share held out where there is no test folder.
        on_bad_image: what is done when a picture can no longer be read: stop, or skip it (see `Tolerant`).
        cache: a folder that keeps the training pictures in their size; None decodes what memory cannot hold.
        cache_limit: GiB that the folder may take.
        artist: names of painters that WikiArt's side is made of; None takes all.
        style: the same for styles.
        genre: the same for genres.
        category: names of categories that Places' side is made of; `field` means `field/wild`, too.
        index: a folder for the indexes of large collections; None puts each beside its pictures.
        seed: shuffles, augments and splits.

    Raises:
        DataError: a folder that is missing or holds no picture.
        ConfigError: a value that does not fit.
    """
    check_sides({"source_resize": source_resize, "target_resize": target_resize, "view": view})
    augmentation = partial(Augmentation, crop, whole_scales=whole_scales, flip=flip, extra=augment)
    from_sources = augmentation(scales=scales_of("data.source_scales", source_scales))
    from_targets = augmentation(scales=scales_of("data.target_scales", target_scales))
    a, b = sides(direction)
    only = {"artist": artist, "style": style, "genre": genre, "category": category}
    choice = Choice(only, held_out, seed, None if index is None else Path(index))
    sources, targets = side(root, source, a, choice), side(root, target, b, choice)
    _refuse_idle(only, sources.filters | targets.filters)
    keeping = Keeping.of(cache, cache_limit)
    fits = [partial(by_short_side, short=short, least=crop) for short in (source_resize, target_resize)]
    train = Unpaired(
        readable(sources.train, fits[0], on_bad_image, keeping=keeping),
        readable(targets.train, fits[1], on_bad_image, keeping=keeping),
        from_sources,
        from_targets,
        seed,
    )
    judged = HeldOut.of(sources.test, targets.test, view or crop, on_bad_image, budget=0)
    looked_at = HeldOut.of(shown(sources.test, val), shown(targets.test, val), view or crop, on_bad_image)
    return Problem(train, looked_at, judged, _card(sources, targets, judged))


@dataclass(frozen=True)
class Unpaired:
    """Training examples without end; each side goes through its own permutations, epoch after epoch."""

    sources: Tolerant[Pixels]
    targets: Tolerant[Pixels]
    from_sources: Augmentation
    from_targets: Augmentation
    seed: int

    def __len__(self) -> int:
        """Count the pictures of the larger side."""
        return max(len(self.sources), len(self.targets))

    def __getitem__(self, number: int) -> Example:
        """Return image number `number` of the run."""
        return scaled(self.in_bytes(number))

    def in_bytes(self, number: int) -> Example:
        """Return the same with its pictures as bytes."""
        source = self.sources[drawn(number, len(self.sources), self.seed, "source")]
        target = self.targets[drawn(number, len(self.targets), self.seed, "target")]
        return {
            "source": planes(self.from_sources(seed_of(self.seed, "augment source", number), source)),
            "target": planes(self.from_targets(seed_of(self.seed, "augment target", number), target)),
            "seed": torch.tensor(seed_of(self.seed, "image", number)),
        }

    def write_down(self, file: Path, part: str) -> None:
        """Count what is left out in a file that all processes of a run share."""
        self.sources.write_down(file, f"{part}/source")
        self.targets.write_down(file, f"{part}/target")


@dataclass(frozen=True)
class HeldOut:
    """Every held-out source once, beside held-out targets in turn, framed alike."""

    sources: Tolerant[Pixels]
    targets: Tolerant[Pixels]
    side: int

    @classmethod
    def of(
        cls,
        sources: Files,
        targets: Files,
        side: int,
        on_bad_image: str = STOP,
        *,
        budget: int = MEMORY,
    ) -> "HeldOut":
        """Take pictures from files, their short side brought to `side`."""
        fit = partial(by_short_side, short=side)
        shown_sources, beside = (readable(files, fit, on_bad_image, budget) for files in (sources, targets))
        return cls(shown_sources, beside, side)

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

    def write_down(self, file: Path, part: str) -> None:
        """Count what is left out in a file that all processes of a run share."""
        self.sources.write_down(file, f"{part}/source")
        self.targets.write_down(file, f"{part}/target")


def readable(
    files: Files, fit: Fit, on_bad_image: str, budget: int = MEMORY, keeping: Keeping | None = None
) -> Tolerant[Pixels]:
    """Open a collection whose pictures may become unreadable as the run goes on."""
    pictures = Pictures(files, fit, budget, lenient=on_bad_image == SKIP, keeping=keeping)
    return Tolerant(pictures, on_bad_image)


def shown(files: Files, count: int | None) -> Files:
    """Take some held-out pictures at even distances."""
    return files.chosen(spread(range(len(files)), count))


def _refuse_idle(only: Mapping[str, Words], used: frozenset[str]) -> None:
    """Refuse a filter by which no side is chosen; raises ConfigError."""
    idle = [kind for kind, words in only.items() if words is not None and kind not in used]
    if idle:
        raise ConfigError(
            f"data.{idle[0]} chooses among labels that neither side has, or that its address names already; artist, "
            "style and genre are WikiArt's (data.target=wikiart), category is Places' (data.source=places)."
        )


def _card(sources: Side, targets: Side, held_out: HeldOut) -> dict[str, Any]:
    """Say what was trained on, in plain values and without the paths of this machine."""
    content = {"source": sources.train.identity(), "target": targets.train.identity()}
    return {
        "name": f"{sources.name} -> {targets.name}",
        "known_answer": False,
        "counts": {"source": len(sources.train), "target": len(targets.train), "test": len(held_out)},
        "content": content,
        "held_out": {
            name: content[name] if one.test is one.train else one.test.identity()
            for name, one in (("source", sources), ("target", targets))
        },
        "licence": "; ".join(sorted({sources.licence, targets.licence})),
    }
