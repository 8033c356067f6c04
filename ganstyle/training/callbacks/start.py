"""How a run begins: with its own random numbers, or exactly where a checkpoint left off."""

from collections.abc import Mapping
from typing import Any

import torch
from pytorch_lightning import Callback, Trainer

from ganstyle.draws import seed_of
from ganstyle.training import checkpoint
from ganstyle.training.distributed import rank


class Start(Callback):
    """Runs before every other callback, when optimizers and ranks exist.

    Args:
        seed: the run's seed; every rank draws its own numbers from it.
        state: a captured run to go on with, or None.
    """

    def __init__(self, seed: int, state: Mapping[str, Any] | None) -> None:
        self.seed, self.state = seed, state

    def go_on_from(self, state: Mapping[str, Any]) -> None:
        """Begin the next time from another state."""
        self.state = state

    def on_train_start(self, trainer: Trainer, system: Any) -> None:
        """Seed this rank, or put the captured state back."""
        torch.manual_seed(seed_of(self.seed, "training", rank()))
        if self.state is not None:
            checkpoint.restore(system, self.state)
