"""SIGTERM, SIGINT, and SIGUSR1 of SLURM's `--signal`, finish the batch, save, and end the run."""

import signal
from types import FrameType
from typing import Any

import torch
from pytorch_lightning import Callback, Trainer
from torch import distributed as dist

from ganstyle.training.distributed import world_size
from ganstyle.training.launcher import by_torchrun
from ganstyle.training.owned import SIGNALS


def _side_channel() -> dist.ProcessGroup:
    group = dist.new_group(backend="gloo")
    assert isinstance(group, dist.ProcessGroup)
    return group


def _register_nothing() -> None:
    pass


class Signals(Callback):
    """Remembers a signal and stops every rank after the same batch; a second one of a kind acts as it always does.

    Not under torchrun: it passes on what its processes may have got already, as from SLURM, and kills them if need be.
    """

    def __init__(self) -> None:
        self.received = 0
        self._handlers: dict[int, Any] = {}

    def setup(self, trainer: Trainer, system: Any, stage: str) -> None:
        """Take the signals over, and open a side channel on which ranks agree without waiting for a GPU.

        Lightning's own handlers stay out: they begin a broadcast wherever a signal finds them, where other ranks are
        not, and save what ganstyle does not read.
        """
        trainer._signal_connector.register_signal_handlers = _register_nothing  # type: ignore[method-assign]
        self._group = _side_channel() if world_size() > 1 else None
        self._handlers = {number: signal.signal(number, self._remember) for number in SIGNALS}

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        if not by_torchrun():
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    def on_train_batch_end(self, trainer: Trainer, system: Any, *_: Any) -> None:
        """Ask for the end once any rank was signaled; the checkpoint callback saves.

        A signal that comes while ranks agree counts at the next batch: by then all of them hear of it.
        """
        if agreed := self._agreed():
            self.received = agreed
            trainer.should_stop = trainer.should_stop or system.between_turns

    def _agreed(self) -> int:
        if self._group is None:
            return self.received
        greatest = torch.tensor(self.received)
        dist.all_reduce(greatest, dist.ReduceOp.MAX, group=self._group)
        return int(greatest)

    def on_train_end(self, trainer: Trainer, system: Any) -> None:
        """Give the signals back."""
        self._restore()

    def on_exception(self, trainer: Trainer, system: Any, exception: BaseException) -> None:
        """Give the signals back."""
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}
