"""The embedded data set: drawn landscapes and what an algorithmic painter makes of them, with the answer known."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import torch
from jaxtyping import UInt8
from numpy import ndarray

from ganstyle.data.brush import CELL, paint
from ganstyle.data.order import drawn
from ganstyle.data.problem import Example, Problem
from ganstyle.data.scenes import scene
from ganstyle.draws import seed_of
from ganstyle.errors import DataError
from ganstyle.images import to_tensor
from ganstyle.values import one_of

Gallery = UInt8[ndarray, "count size size 3"]


def toy(
    size: int = 96, *, scenes: int = 256, val: int = 16, held_out: int = 64, paired: bool = True, seed: int = 0
) -> Problem:
    """Draw the toy problem: turn a landscape into its painting.

    Unpaired, the paintings shown in training are of other scenes than the sources; validation and test keep the truth.
    The scenes are the same in every run; `seed` shuffles them.

    Raises:
        DataError: the size is not a multiple of the brush's lattice, or a split is empty.
        ConfigError: `paired` is neither true nor false.
    """
    one_of("data.paired", paired, (True, False))
    if size <= 0 or size % CELL:
        raise DataError(f"toy scenes need a side that is a multiple of {CELL}, but data.size is {size}.")
    if min(scenes, val, held_out) < 1:
        raise DataError(f"toy needs a scene in every split, but got scenes={scenes}, val={val}, held_out={held_out}.")
    sources, paintings = landscapes("train", scenes, size)
    if not paired:
        _, paintings = landscapes("train paintings", scenes, size)
    train = Endless(sources, paintings, paired, seed)
    looked_at, judged = (HeldOut(*landscapes(s, n, size), s) for s, n in (("val", val), ("test", held_out)))
    card = {
        "name": "toy" if paired else "toy_unpaired",
        "known_answer": True,
        "counts": {"train": scenes, "val": val, "test": held_out},
        "content": blake2b(sources.tobytes() + paintings.tobytes(), digest_size=16).hexdigest(),
        "licence": "drawn by ganstyle, MIT",
        "size": size,
    }
    return Problem(train, looked_at, judged, card, paired)


@lru_cache(maxsize=8)
def landscapes(split: str, count: int, size: int) -> tuple[Gallery, Gallery]:
    """Draw the scenes of a split and paint them; some 20 ms each at 96 px, kept in memory."""
    scenes = [scene(seed_of("toy", split, number), size) for number in range(count)]
    return np.stack(scenes), np.stack([paint(picture) for picture in scenes])


@dataclass(frozen=True)
class Endless:
    """Training examples without end, shuffled anew in every epoch."""

    sources: Gallery
    paintings: Gallery
    paired: bool
    seed: int

    def __len__(self) -> int:
        """Count the scenes of one epoch."""
        return len(self.sources)

    def __getitem__(self, number: int) -> Example:
        """Return image number `number` of the run."""
        source = drawn(number, len(self.sources), self.seed, "source")
        target = source if self.paired else drawn(number, len(self.paintings), self.seed, "target")
        return {
            "source": to_tensor(self.sources[source]),
            "target": to_tensor(self.paintings[target]),
            "seed": torch.tensor(seed_of(self.seed, "image", number)),
        }


@dataclass(frozen=True)
class HeldOut:
    """Scenes to be judged by, each with its own painting as target and truth."""

    sources: Gallery
    paintings: Gallery
    split: str

    def __len__(self) -> int:
        """Count the scenes."""
        return len(self.sources)

    def __getitem__(self, number: int) -> Example:
        """Return a scene with the known answer."""
        truth = to_tensor(self.paintings[number])
        seed = torch.tensor(seed_of(self.split, number))
        return {"source": to_tensor(self.sources[number]), "target": truth, "seed": seed, "truth": truth}
