"""What the generators make of the same few held-out pictures, as the run goes on."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, Trainer
from torch import Tensor
from torch.utils.data import default_collate

from ganstyle.images import grid
from ganstyle.training.loaders import to_device
from ganstyle.training.loggers import log_picture
from ganstyle.training.system import System
from ganstyle.values import whole


class Samples(Callback):
    """Writes `samples/<images seen>.png`: one row per picture, one column per image field of the method's outputs.

    Args:
        every: images between two grids; one more comes at the end.
        count: rows, the first pictures of the validation set.
    """

    def __init__(self, every: int, count: int = 6) -> None:
        self.every = whole("callbacks.samples.every", every, least=1)
        self.count = whole("callbacks.samples.count", count, least=1)

    def on_train_batch_end(self, trainer: Trainer, system: Any, *_: Any) -> None:
        """Draw when the run has passed another multiple of `every` images."""
        if system.crossed(self.every) and trainer.is_global_zero:
            columns = sample(system, trainer.datamodule.problem.val, self.count)  # type: ignore[attr-defined]
            path = Path(trainer.default_root_dir) / "samples" / f"{system.images_seen:09d}.png"
            grid(list(zip(*columns.values(), strict=True)), path, list(columns))
            log_picture(trainer, system.images_seen, "samples", path)


def sample(system: System, examples: Any, count: int) -> dict[str, Tensor]:
    """Return the image fields of the outputs for the first `count` examples, on the CPU, by name."""
    columns: dict[str, list[Tensor]] = {}
    few = [examples[number] for number in range(min(count, len(examples)))]
    with system.looking():
        for example in few:
            batch = to_device(default_collate([example]), system.device)
            for name, picture in _pictures(system, system.method(batch)).items():
                columns.setdefault(name, []).append(picture.float().cpu())
    return {name: torch.cat(pictures) for name, pictures in columns.items()}


def _pictures(system: System, outputs: Any) -> dict[str, Tensor]:
    values = {field.name: getattr(outputs, field.name) for field in fields(outputs)}
    shown = {name: v for name, v in values.items() if isinstance(v, Tensor) and v.ndim == 4 and v.shape[1] == 3}
    return {name: picture for name, picture in shown.items() if name not in system.method.pools}
