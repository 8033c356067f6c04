"""Judge the averaged generators on held-out pictures, every so many images."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pytorch_lightning import Callback, Trainer

from ganstyle.data.problem import Problem
from ganstyle.metrics.known_answer import psnr
from ganstyle.training.callbacks.due import Due
from ganstyle.training.distributed import gather
from ganstyle.training.loaders import Loaders, batches, to_device
from ganstyle.training.loggers import log_metrics
from ganstyle.training.system import System
from ganstyle.values import whole


class Validation(Callback):
    """Mean validation losses, and PSNR where the data set knows the answer, kept in `system.scores` and logged.

    Args:
        every: images between two validations, at the end of a turn; one more comes at the end.
    """

    def __init__(self, every: int) -> None:
        self.every = whole("callbacks.validation.every", every, least=1)
        self._due = Due(self.every)

    def on_train_start(self, trainer: Trainer, system: Any) -> None:
        """Begin to count."""
        self._due.forget()

    def on_train_batch_end(self, trainer: Trainer, system: Any, *_: Any) -> None:
        """Validate when the run has passed another multiple of `every` images."""
        if self._due.now(system):
            scores = validate(system, trainer.datamodule)  # type: ignore[attr-defined]
            system.take_scores(scores)
            log_metrics(trainer, system.images_seen, scores)

    def score_names(self, system: System, problem: Problem) -> list[str]:
        """Name the scores that a validation gives."""
        terms = [f"val/{player.name}/{term}" for player in system.players for term in player.terms]
        return [*terms, "val/psnr"] if problem.card.get("known_answer") else terms


def validate(system: System, loaders: Loaders) -> dict[str, float]:
    """Average the terms over the validation set, each image counted once, whatever the number of ranks.

    In batches of the size of those trained on, from whose statistics batch norm and sets of pictures are judged.
    """
    sums: defaultdict[str, float] = defaultdict(float)
    images = 0
    with system.looking():
        for raw in batches(loaders.problem.val, loaders.batch_size):
            batch = to_device(raw, system.device)
            _, terms = system.judge(batch)
            if "truth" in batch:
                terms["val/psnr"] = psnr(system.translate(batch["source"]), batch["truth"]).mean()
            images += len(batch["source"])
            for name, value in terms.items():
                sums[name] += float(value) * len(batch["source"])
    return _means(gather((images, dict(sums))))


def _means(shares: Sequence[tuple[int, dict[str, float]]]) -> dict[str, float]:
    """Join the sums of all ranks, some of which may have had no image, in the order of ranks."""
    images = sum(count for count, _ in shares)
    names = sorted({name for _, sums in shares for name in sums})
    means = {name: sum(sums.get(name, 0.0) for _, sums in shares) / images for name in names}
    return {name: mean if math.isfinite(mean) else math.nan for name, mean in means.items()}
