"""A callback by which tests make a run go wrong at a known image."""

import hashlib
import json
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, Trainer
from torch import nn

from ganstyle.training.distributed import rank
from ganstyle.training.watch.monitor import Monitor

NUMBERS = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "int": signal.SIGINT, "usr1": signal.SIGUSR1}


class Fault(Callback):
    """Before the batch that begins at image number `at`, or in the validation there: something goes wrong.

    Args:
        at: images seen before.
        how: kill, term, int, group (SIGINT to all processes of this one's group), all (SIGTERM to them), raise, or
            blow_up (a weight turns into no number).
        on: the rank that it happens to.
        during: training, or validation.
    """

    def __init__(self, at: int, how: str, on: int = 0, during: str = "training") -> None:
        self.at, self.how, self.on, self.during = at, how, on, during

    def setup(self, trainer: Trainer, system: Any, stage: str) -> None:
        """Lie in wait where pictures are judged."""
        judge = system.judge

        def judged(batch: Any) -> Any:
            if self.during == "validation" and self._is_due(system):
                self.during = "never again"
                self._happen(system)
            return judge(batch)

        system.judge = judged

    def on_train_batch_start(self, trainer: Trainer, system: Any, batch: Any, batch_idx: int) -> None:
        """Let it happen."""
        if self.during == "training" and self._is_due(system):
            self._happen(system)

    def _is_due(self, system: Any) -> bool:
        return bool(system.images_seen == self.at and rank() == self.on)

    def _happen(self, system: Any) -> None:
        if self.how == "blow_up":
            nn.init.constant_(next(system.method.generators["generator"].parameters()), float("nan"))
        elif self.how == "raise":
            raise RuntimeError("a fault that a test wanted")
        elif self.how in ("group", "all"):
            os.killpg(os.getpgid(0), {"group": signal.SIGINT, "all": signal.SIGTERM}[self.how])
        else:
            os.kill(os.getpid(), NUMBERS[self.how])


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


class Witness(Callback):
    """Writes what each rank's networks and pools are at the end of a run, as a checksum each."""

    def on_train_end(self, trainer: Trainer, system: Any) -> None:
        """Write `witness_<rank>.json`."""
        told = {
            "weights": _digest(list(system.method.parameters()) + list(system.averages.parameters())),
            "pools": _digest([image for pool in system.method.pools.values() for image in pool.images]),
            "random": _digest([torch.get_rng_state()]),
            "lr": [optimizer.param_groups[0]["initial_lr"] for optimizer in system.raw_optimizers],
            "weighing": system.weights["generator"],
            "verdicts": system.witness.verdicts if isinstance(system.witness, Monitor) else [],
        }
        folder = Path(trainer.default_root_dir)
        (folder / f"witness_{rank()}.json").write_text(json.dumps(told))


def _digest(tensors: list[torch.Tensor]) -> str:
    return hashlib.sha256(b"".join(t.detach().numpy().tobytes() for t in tensors)).hexdigest()


class LostLoader(Callback):
    """Kills the processes that load pictures for one rank, before the batch that begins at image number `at`."""

    def __init__(self, at: int, on: int) -> None:
        self.at, self.on = at, on

    def on_train_batch_start(self, trainer: Trainer, system: Any, batch: Any, batch_idx: int) -> None:
        """Kill."""
        if system.images_seen == self.at and rank() == self.on:
            for child in multiprocessing.active_children():
                child.kill()
