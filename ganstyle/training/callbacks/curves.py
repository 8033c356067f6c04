"""Losses and learning rates, logged against images seen."""

import time
from typing import Any

from pytorch_lightning import Callback, Trainer

from ganstyle.training.loggers import log_metrics


class Curves(Callback):
    """Brings the mean losses to the loggers every so many batches, and stops a run whose losses are not finite.

    Args:
        every: batches between two rows.
    """

    def __init__(self, every: int) -> None:
        self.every = every

    def on_train_start(self, trainer: Trainer, system: Any) -> None:
        """Start the clock."""
        self._since, self._from = time.monotonic(), system.images_seen

    def on_train_batch_end(self, trainer: Trainer, system: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Log a row."""
        if (batch_idx + 1) % self.every and system.images_seen < system.total_images:
            return
        system.latest = system.journal.means()
        rates = {
            f"lr/{p.name}": o.param_groups[0]["lr"] for p, o in zip(system.players, system.raw_optimizers, strict=True)
        }
        log_metrics(trainer, system.images_seen, {**system.latest, **rates, "images_per_second": self._speed(system)})

    def _speed(self, system: Any) -> float:
        now = time.monotonic()
        speed = (system.images_seen - self._from) / max(now - self._since, 1e-9)
        self._since, self._from = now, system.images_seen
        return float(speed)
