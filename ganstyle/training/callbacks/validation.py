"""Judge the averaged generators on held-out pictures, every so many images."""

import math
from collections import defaultdict
from typing import Any

import torch
from pytorch_lightning import Callback, Trainer
from torch import Tensor

from ganstyle.metrics.known_answer import psnr
from ganstyle.training.distributed import sum_over_ranks
from ganstyle.training.loaders import Loaders, batches
from ganstyle.training.loggers import log_metrics
from ganstyle.training.system import System


class Validation(Callback):
    """Mean validation losses, and PSNR where the data set knows the answer, kept in `system.scores` and logged.

    Args:
        every: images between two validations; one more comes at the end.
    """

    def __init__(self, every: int) -> None:
        self.every = every

    def on_train_batch_end(self, trainer: Trainer, system: Any, *_: Any) -> None:
        """Validate when the run has passed another multiple of `every` images."""
        if system.crossed(self.every):
            system.scores = validate(system, trainer.datamodule)  # type: ignore[attr-defined]
            log_metrics(trainer, system.images_seen, system.scores)


def validate(system: System, loaders: Loaders) -> dict[str, float]:
    """Average the terms over the validation set, each image counted once, whatever the number of ranks."""
    sums: defaultdict[str, float] = defaultdict(float)
    images = 0
    with system.looking():
        for raw in batches(loaders.problem.val, loaders.batch_size):
            batch = system.transfer_batch_to_device(raw, system.device, 0)
            outputs, terms = system.judge(batch)
            if "truth" in batch:
                terms["val/psnr"] = psnr(system.translate(batch["source"]), batch["truth"]).mean()
            count = len(batch["source"])
            images += count
            for name, value in terms.items():
                sums[name] += float(value) * count
    return _means(sums, images, system.device)


def _means(sums: dict[str, float], images: int, device: torch.device) -> dict[str, float]:
    names = sorted(sums)
    total = sum_over_ranks(torch.tensor([images, *(sums[name] for name in names)], dtype=torch.float64, device=device))
    means: Tensor = total[1:] / total[0]
    return {
        name: value if math.isfinite(value) else float("nan") for name, value in zip(names, means.tolist(), strict=True)
    }
