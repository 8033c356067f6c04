"""A callback by which tests make a run collapse once, and not again after it was rolled back."""

from typing import Any

from pytorch_lightning import Callback, Trainer
from torch import nn

from ganstyle.training.distributed import rank


class Once(Callback):
    """Turns a weight of one rank into no number before the batch that begins at image number `at`, but not again."""

    def __init__(self, at: int, on: int = 0) -> None:
        self.at, self.on = at, on

    def on_train_batch_start(self, trainer: Trainer, system: Any, batch: Any, batch_idx: int) -> None:
        """Let it happen."""
        if system.images_seen == self.at and system.rollbacks == 0 and rank() == self.on:
            nn.init.constant_(next(system.method.generators["generator"].parameters()), float("nan"))
