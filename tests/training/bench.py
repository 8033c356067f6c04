"""Steps of a system without Lightning's trainer, and pictures to step on."""

from typing import Any

import torch

from ganstyle.training.system import System
from ganstyle.types import Batch


class Bench:
    """Steps a system without Lightning's trainer."""

    def __init__(self, subject: System) -> None:
        self.system: Any = subject
        self.optimizers = subject.configure_optimizers()
        self.system.optimizers = lambda use_pl_optimizer=True: self.optimizers
        self.system.manual_backward = lambda loss: loss.backward()
        self.system._trainer = self
        self.system._set_learning_rates()

    def step(self, batch: Batch) -> None:
        """One training step."""
        self.system.training_step(batch, 0)


def batch(first: int = 0, count: int = 2) -> Batch:
    """The pictures from number `first` on."""
    pictures = []
    for number in range(first, first + count):
        generator = torch.Generator().manual_seed(number)
        pictures.append(torch.rand(2, 3, 16, 16, generator=generator) * 2 - 1)
    source, target = torch.stack(pictures).unbind(1)
    return {"source": source, "target": target, "seed": torch.arange(first, first + count)}
