"""A progress bar that counts images; on something other than a terminal, a line now and then."""

import sys
import time
from typing import Any

from pytorch_lightning import Callback, Trainer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class ImagesProgress(Callback):
    """Images seen, images per second, time left, and the latest losses.

    Args:
        line_every: seconds between two lines where there is no terminal.
    """

    def __init__(self, line_every: float = 15.0) -> None:
        self.line_every = line_every

    def on_train_start(self, trainer: Trainer, system: Any) -> None:
        """Open the bar at the images already seen."""
        self._start = self._said = time.monotonic()
        self._from = system.images_seen
        self._bar = _bar(disable=not (trainer.is_global_zero and sys.stderr.isatty()))
        self._task = self._bar.add_task("", total=system.total_images, completed=system.images_seen, note="")
        self._bar.start()

    def on_train_batch_end(self, trainer: Trainer, system: Any, *_: Any) -> None:
        """Move the bar."""
        note = f"{self._speed(system):.1f} images/s  {_losses(system.latest)}"
        if not self._bar.disable:
            self._bar.update(self._task, completed=system.images_seen, note=note)
        elif trainer.is_global_zero and self._line_is_due(system):
            print(f"{system.images_seen}/{system.total_images} images  {note}", flush=True)

    def _line_is_due(self, system: Any) -> bool:
        if time.monotonic() - self._said < self.line_every and system.images_seen < system.total_images:
            return False
        self._said = time.monotonic()
        return True

    def _speed(self, system: Any) -> float:
        return float((system.images_seen - self._from) / max(time.monotonic() - self._start, 1e-9))

    def on_train_end(self, trainer: Trainer, system: Any) -> None:
        """Close the bar."""
        self._bar.stop()

    def on_exception(self, trainer: Trainer, system: Any, exception: BaseException) -> None:
        """Close the bar, so that the message stands below it."""
        if hasattr(self, "_bar"):
            self._bar.stop()


def _bar(*, disable: bool) -> Progress:
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("images"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    return Progress(*columns, disable=disable, transient=False)


def _losses(latest: dict[str, float]) -> str:
    return "  ".join(f"{name.removeprefix('train/')} {value:.3f}" for name, value in latest.items())
