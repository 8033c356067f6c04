"""A folder of photographs alone: what there is to learn about them comes from elsewhere, such as a trained network."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ganstyle.data.cache import Keeping
from ganstyle.data.catalogue import CATALOGUE
from ganstyle.data.files import PathFiles
from ganstyle.data.folders import content_hash, held_out_folder, pictures_in, split, spread
from ganstyle.data.order import drawn
from ganstyle.data.pictures import by_short_side
from ganstyle.data.problem import Example, Problem, scaled
from ganstyle.data.tolerant import STOP, Tolerant
from ganstyle.data.transforms import Augmentation, check_sides, scales_of
from ganstyle.data.unpaired import HeldOut, readable
from ganstyle.draws import seed_of
from ganstyle.errors import DataError
from ganstyle.images import Pixels, planes


def photographs(
    folder: str | None = None,
    *,
    resize: int | None = None,
    crop: int = 128,
    scales: Sequence[int | float] = (1.0, 1.0),
    flip: bool = True,
    view: int = 256,
    val: int | None = 16,
    held_out: float = 0.1,
    on_bad_image: str = STOP,
    cache: str | None = None,
    cache_limit: int | float = 64.0,
    seed: int = 0,
) -> Problem:
    """Pose a problem whose source and target are the same photograph.

    Held out is the folder called like this one, but test (`testB` beside `trainB`), or else the share `held_out`,
    chosen by seed and content; if that is nothing, it is judged by what it trains on.

    Args:
        folder: of photographs, subfolders included.
        resize: pixels to which the short side of every picture is brought; None leaves the size.
        crop: side of the training pictures; smaller ones are enlarged to it.
        scales: windows are `crop` times a number between these, as far as a picture reaches.
        flip: mirror every second picture.
        view: side of the pictures in validation and test.
        val: how many of the held-out pictures are looked at during training.
        held_out: the share held out where there is no test folder.
        on_bad_image: what is done when a picture can no longer be read: stop, or skip it (see `Tolerant`).
        cache: a folder that keeps the training pictures in their size; None decodes what memory cannot hold.
        cache_limit: GiB that the folder may take.
        seed: shuffles, augments and splits.

    Raises:
        DataError: the folder is missing or holds no picture.
        ConfigError: a value that does not fit.
    """
    if folder is None:
        raise DataError("there is no folder of photographs to learn from; give data.folder=FOLDER.")
    check_sides({"resize": resize, "view": view})
    augmentation = Augmentation(crop, scales=scales_of("data.scales", scales), flip=flip)
    paths, judged = divided(Path(folder), held_out, seed)
    fit = partial(by_short_side, short=resize, least=crop)
    train = Photographs(
        readable(PathFiles(paths), fit, on_bad_image, keeping=Keeping.of(cache, cache_limit)),
        augmentation,
        seed,
    )
    everything, looked_at = PathFiles(judged), PathFiles(spread(judged, val))
    return Problem(
        train,
        HeldOut.of(looked_at, looked_at, view, on_bad_image),
        HeldOut.of(everything, everything, view, on_bad_image, budget=0),
        _card(Path(folder), paths, judged),
    )


@dataclass(frozen=True)
class Photographs:
    """Training examples without end, in permutations, epoch after epoch."""

    pictures: Tolerant[Pixels]
    augmentation: Augmentation
    seed: int

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.pictures)

    def __getitem__(self, number: int) -> Example:
        """Return image number `number` of the run."""
        return scaled(self.in_bytes(number))

    def in_bytes(self, number: int) -> Example:
        """Return the same with its pictures as bytes."""
        pixels = self.pictures[drawn(number, len(self.pictures), self.seed, "source")]
        picture = planes(self.augmentation(seed_of(self.seed, "augment source", number), pixels))
        return {"source": picture, "target": picture, "seed": torch.tensor(seed_of(self.seed, "image", number))}

    def write_down(self, file: Path, part: str) -> None:
        """Count what is left out in a file that all processes of a run share."""
        self.pictures.write_down(file, f"{part}/source")


def divided(folder: Path, held_out: float = 0.1, seed: int = 0) -> tuple[list[Path], list[Path]]:
    """Return the pictures to train on, and those to judge by."""
    paths, test = pictures_in(folder), held_out_folder(folder)
    if test is not None:
        return paths, pictures_in(test)
    train, chosen = split(paths, held_out, seed)
    return train, chosen or train


def name_of(folder: Path) -> str:
    """What cards call a folder of photographs: its name and the one of the folder around it."""
    place = folder.resolve()
    return f"{place.parent.name}/{place.name}"


def _card(folder: Path, train: Sequence[Path], judged: Sequence[Path]) -> dict[str, Any]:
    """Say what was trained on, in plain values and without the paths of this machine."""
    known = CATALOGUE.get(folder.resolve().parent.name)
    content = content_hash(train)
    return {
        "name": name_of(folder),
        "known_answer": False,
        "counts": {"source": len(train), "test": len(judged)},
        "content": {"source": content},
        "held_out": {"source": content if judged == train else content_hash(judged)},
        "licence": known.licence if known else f"unknown ({folder.resolve().parent.name})",
    }
