"""A look at pictures that training never sees: they tell learning a collection from learning its pictures by heart."""

from collections.abc import Collection
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import default_collate

from ganstyle.data.problem import Example, Examples
from ganstyle.training.loaders import to_device
from ganstyle.training.system import System
from ganstyle.training.watch.ear import Ear
from ganstyle.training.watch.readings import Reading, pictures
from ganstyle.training.watch.sketch import Sketches, sketch
from ganstyle.types import Image


class Look(NamedTuple):
    """What a look at held-out pictures shows."""

    said: Reading
    generated: Sketches
    """Of what is generated from held-out sources."""
    targets: Sketches


class HeldOut:
    """Shows a few held-out pictures to the live networks, some at a time, taking turns.

    Args:
        examples: held-out pictures; the first `count` are used.
        count: how many, at most.
        batch_size: how many at a time.
    """

    def __init__(self, examples: Examples, count: int, batch_size: int) -> None:
        self.examples, self.count, self.batch_size = examples, min(count, len(examples)), batch_size
        self._loaded: dict[int, Example] = {}

    def look(self, system: System, ear: Ear, judges: Collection[str], turn: int, side: tuple[int, int]) -> Look:
        """Return what the discriminators say of held-out targets, and how the pictures compare.

        `judges` are the players whose losses hold a discriminator's judgement; pictures are cut to the training's size.
        """
        batch = self._batch(turn, side, system.device)
        with system.looking(live=True):
            outputs = system.method(batch)
            ear.open()
            for player in system.players:
                if player.name in judges:
                    player.losses(outputs)
            said = ear.close()
        seen = pictures(batch, outputs)
        assert seen is not None  # only then is there a look
        return Look(said, sketch(seen.generated).cpu(), sketch(seen.target).cpu())

    def _batch(self, turn: int, side: tuple[int, int], device: torch.device) -> Any:
        """Return the pictures whose turn it is, cut from their middle."""
        size = min(self.batch_size, self.count)
        numbers = [(turn * size + place) % self.count for place in range(size)]
        batch = default_collate([self._example(number) for number in numbers])
        return to_device({name: v if name == "seed" else _middle(v, side) for name, v in batch.items()}, device)

    def _example(self, number: int) -> Example:
        if number not in self._loaded:
            self._loaded[number] = self.examples[number]
        return self._loaded[number]


def _middle(images: Image, side: tuple[int, int]) -> Tensor:
    """Cut the middle out, as large as there is."""
    height, width = (min(have, want) for have, want in zip(images.shape[2:], side, strict=True))
    top, left = (images.shape[2] - height) // 2, (images.shape[3] - width) // 2
    return images[..., top : top + height, left : left + width]
