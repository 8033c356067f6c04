"""A callback by which tests make a run go wrong at a known image."""

import os
import signal
from typing import Any

import torch
from pytorch_lightning import Callback, Trainer
from torch import nn

from ganstyle.training.distributed import rank


class Fault(Callback):
    """Before the batch that begins at image number `at`: kill, term, interrupt, raise, or break a weight.

    Args:
        at: images seen before.
        how: kill, term, int, group (SIGINT to all processes of this one's group), raise or nan.
        on: the rank that it happens to.
    """

    def __init__(self, at: int, how: str, on: int = 0) -> None:
        self.at, self.how, self.on = at, how, on

    def on_train_batch_start(self, trainer: Trainer, system: Any, batch: Any, batch_idx: int) -> None:
        """Let it happen."""
        if system.images_seen != self.at or rank() != self.on:
            return
        if self.how == "nan":
            nn.init.constant_(next(system.method.generators["generator"].parameters()), float("nan"))
        elif self.how == "raise":
            raise RuntimeError("a fault that a test wanted")
        elif self.how == "group":
            os.killpg(os.getpgid(0), signal.SIGINT)
        else:
            os.kill(os.getpid(), {"kill": signal.SIGKILL, "term": signal.SIGTERM, "int": signal.SIGINT}[self.how])


class Crash(BaseException):
    """What a power cut would be, were it an exception."""


class Cut(Callback):
    """Ends a run in this process without anybody handling it."""

    def __init__(self, at: int) -> None:
        self.at = at

    def on_train_batch_start(self, trainer: Trainer, system: Any, batch: Any, batch_idx: int) -> None:
        """Raise what no handler knows."""
        if system.images_seen == self.at:
            raise Crash


class Dice(Callback):
    """Draws from torch's random numbers in every batch, as a careless callback would."""

    def on_train_batch_end(self, trainer: Trainer, system: Any, *_: Any) -> None:
        """Draw."""
        torch.rand(1)
