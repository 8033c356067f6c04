"""`last.ckpt` every so many images, the one before it, and `best.ckpt` by the score that the configuration names."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pytorch_lightning import Callback, Trainer

from ganstyle.training import checkpoint, latest
from ganstyle.training.callbacks.due import Due
from ganstyle.training.collapse import NonFiniteError
from ganstyle.training.system import System
from ganstyle.values import one_of, whole


class Checkpoints(Callback):
    """Saves the run between two turns, whole or not at all.

    Args:
        every: images between two saves of `last.ckpt`, the one before staying as `previous.ckpt`; one more at the end,
            and with every new best score.
        monitor: the score of `system.scores` that decides which is `best.ckpt`; null keeps no best.
        mode: whether the best score is the least (`min`) or the greatest (`max`).
    """

    def __init__(self, every: int, monitor: str | None = None, mode: Literal["min", "max"] = "min") -> None:
        one_of("callbacks.checkpoints.mode", mode, ("min", "max"))
        self.every = whole("callbacks.checkpoints.every", every, least=1)
        self.monitor, self.sign = monitor, 1.0 if mode == "min" else -1.0
        self.best: float | None = None
        self._identity: Mapping[str, Any] = {}
        self._due = Due(self.every)

    def begin(self, identity: Mapping[str, Any], state: Mapping[str, Any] | None) -> None:
        """Take the plain values that every checkpoint carries, and the best score of the one to go on from."""
        self._identity = identity
        if state is not None:
            self.go_on_from(state)

    def go_on_from(self, state: Mapping[str, Any]) -> None:
        """Take the best score of a checkpoint, unless it is one of another kind."""
        self.best = state["best"] if state.get("best_of", self._best_of) == self._best_of else None
        self._due.forget()

    def on_train_batch_end(self, trainer: Trainer, system: Any, *_: Any) -> None:
        """Save when due, or as soon after as no accumulation window is open, and with every new best score."""
        is_best = self._is_better(system)
        if self._due.now(system, asked=is_best or trainer.should_stop):
            self.save(system, Path(trainer.default_root_dir) / "checkpoints", is_best=is_best)

    def save(self, system: System, folder: Path, *, is_best: bool) -> None:
        """Write `best.ckpt` where the weights are the best so far, then `last.ckpt`, from which a crash starts."""
        system.journal.check()
        refuse_broken_weights(system)
        state = self.captured(system)
        if system.global_rank == 0:
            if is_best:
                checkpoint.save(state, folder / "best.ckpt")
            latest.advance(state, folder)

    def captured(self, system: System) -> dict[str, Any]:
        """Collect the run's state with the plain values that belong to it; every rank must call it."""
        return checkpoint.capture(system, {**self._identity, "best": self.best, "best_of": self._best_of})

    @property
    def _best_of(self) -> list[Any]:
        """Which score the best one is, and which way is better."""
        return [self.monitor, self.sign]

    def _is_better(self, system: System) -> bool:
        """Whether the weights as they are now have a score, and the best one; an earlier score is of other weights."""
        if self.monitor is None or system.scored.get(self.monitor) != system.images_seen:
            return False
        score = system.scores[self.monitor]
        if math.isnan(score) or (self.best is not None and score * self.sign >= self.best * self.sign):
            return False
        self.best = score
        return True


def refuse_broken_weights(system: System) -> None:
    """Keep the last good checkpoint: refuse to save a network whose weights are no longer numbers."""
    for player in system.players:
        weights = {name: p for name, p in player.network.named_parameters() if not bool(torch.isfinite(p).all())}
        if weights:
            raise NonFiniteError(
                f"the weights of the {player.name} are no longer finite; the last good checkpoint is kept: "
                "lower its learning rate, or train with trainer.precision=32.",
                {f"weight/{player.name}/{name}": math.nan for name in weights},
            )
