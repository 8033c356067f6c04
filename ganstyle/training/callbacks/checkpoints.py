"""`last.ckpt` every so many images, and `best.ckpt` by the score that the configuration names."""

import shutil
from typing import Any, Literal

import torch
from pytorch_lightning import Callback, Trainer

from ganstyle.errors import ConfigError, TrainingError, suggestion
from ganstyle.training import checkpoint
from ganstyle.training.system import System


class Checkpoints(Callback):
    """Saves the run between two turns, whole or not at all.

    Args:
        every: images between two saves of `last.ckpt`; one more comes at the end.
        monitor: the score of `system.scores` that decides which is `best.ckpt`; null keeps no best.
        mode: whether the best score is the least (`min`) or the greatest (`max`).
    """

    def __init__(self, every: int, monitor: str | None = None, mode: Literal["min", "max"] = "min") -> None:
        if mode not in ("min", "max"):
            raise ConfigError(f"callbacks.checkpoints.mode is min or max, but got {mode!r}.")
        self.every, self.monitor, self.sign = every, monitor, 1.0 if mode == "min" else -1.0
        self.best: float | None = None
        self._judged: dict[str, float] = {}

    def on_train_batch_end(self, trainer: Trainer, system: Any, *_: Any) -> None:
        """Save when due, or as soon after as no accumulation window is open."""
        self._pending = getattr(self, "_pending", False) or system.crossed(self.every) or trainer.should_stop
        if self._pending and system.between_turns:
            self._pending = False
            self.save(system)

    def save(self, system: System) -> None:
        """Write `last.ckpt`, and copy it to `best.ckpt` when there is a new best score."""
        system.journal.check()
        refuse_broken_weights(system)
        better = self._is_better(system.scores)
        state = checkpoint.capture(system, {**system.extras, "best": self.best, "scores": dict(system.scores)})
        if system.global_rank == 0:
            folder = system.folder / "checkpoints"
            checkpoint.save(state, folder / "last.ckpt")
            if better:
                _copy_whole(folder / "last.ckpt", folder / "best.ckpt")

    def resume(self, state: dict[str, Any], system: System) -> None:
        """Take up the best score of a loaded checkpoint."""
        self.best = state["best"]
        system.scores = self._judged = dict(state["scores"])

    def _is_better(self, scores: dict[str, float]) -> bool:
        if self.monitor is None or not scores or scores == self._judged:
            return False
        self._judged = dict(scores)
        if self.monitor not in scores:
            raise ConfigError(
                f"callbacks.checkpoints.monitor={self.monitor} is not a score of this run{suggestion(self.monitor, scores)}"
            )
        score = scores[self.monitor] * self.sign
        if self.best is not None and not score < self.best * self.sign:
            return False
        self.best = scores[self.monitor]
        return True


def refuse_broken_weights(system: System) -> None:
    """Keep the last good checkpoint: refuse to save a network whose weights are no longer numbers."""
    for player in system.players:
        if not all(bool(torch.isfinite(p).all()) for p in player.network.parameters()):
            raise TrainingError(
                f"the weights of the {player.name} are no longer finite; the last good checkpoint is kept: "
                "lower its learning rate, or train with trainer.precision=32."
            )


def _copy_whole(source: Any, target: Any) -> None:
    temporary = target.with_name(f".{target.name}")
    shutil.copyfile(source, temporary)
    temporary.replace(target)
