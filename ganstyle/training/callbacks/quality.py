"""The two-sided scores on fixed held-out pictures while a run goes on, within a share of its time."""

import json
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pytorch_lightning import Callback, Trainer

from ganstyle.data.problem import Problem
from ganstyle.errors import ConfigError, unknown
from ganstyle.metrics.features import feature_network
from ganstyle.metrics.protocol import Measured
from ganstyle.metrics.yardstick import SIDES
from ganstyle.training.callbacks.allowance import Allowance
from ganstyle.training.callbacks.due import Due
from ganstyle.training.distributed import gather
from ganstyle.training.gauge import Gauge, Scores, names_of
from ganstyle.training.loggers import log_metrics
from ganstyle.training.system import System
from ganstyle.values import number, one_of, whole

log = logging.getLogger(__name__)
PREFIX = "quality/"
BEST, WAITED = f"{PREFIX}best", f"{PREFIX}evaluations_since_best"
FILE = "quality.json"


class Quality(Callback):
    """Evaluates the averaged generator on the same pictures again and again.

    Scores go to `system.scores` and the loggers as `quality/<score>`, their protocol to the log and `quality.json`.
    An evaluation that would exceed the budget is skipped, but the one at the end of the run is always made. None of
    this changes what is trained, unless `patience` ends a run: what is skipped then matters, and only `budget: 1`
    repeats exactly.

    Args:
        every: images between two evaluations, at the end of a turn.
        sources: photographs, the first of the validation set.
        references: targets that style is compared with, the first that training sees.
        budget: the greatest share of run time; 1 skips nothing.
        features: weights of a VGG to judge through; null takes the embedded features.
        monitor: the score that decides on an early end.
        mode: whether the best score is the least (`min`) or the greatest (`max`).
        patience: evaluations without a better score after which the run ends; null never ends it.
        draws: half samples on which the intervals rest.
        seed: of copied pictures, projections and half samples.
    """

    def __init__(
        self,
        every: int,
        *,
        sources: int = 32,
        references: int = 64,
        budget: int | float = 0.1,
        features: str | None = None,
        monitor: str = f"{PREFIX}gain",
        mode: Literal["min", "max"] = "max",
        patience: int | None = None,
        draws: int = 50,
        seed: int = 0,
    ) -> None:
        one_of("callbacks.quality.mode", mode, ("min", "max"))
        self.every = whole("callbacks.quality.every", every, least=1)
        self.sources = whole("callbacks.quality.sources", sources, least=2)
        self.references = whole("callbacks.quality.references", references, least=2)
        self.draws, self.seed = whole("callbacks.quality.draws", draws, least=2), seed
        self.patience = None if patience is None else whole("callbacks.quality.patience", patience, least=1)
        self.monitor, self.sign, self.features = monitor, 1.0 if mode == "min" else -1.0, features
        self.allowance = Allowance(_share(budget))
        self._due = Due(self.every)
        self._gauge: Gauge | None = None
        self._price: float | None = None

    def score_names(self, system: System, problem: Problem) -> list[str]:
        """Name the scores that evaluations give; raises ConfigError when `monitor` is none of them."""
        names = [PREFIX + name for name in names_of(problem, feature_network(path=self.features), self.seed)]
        if self.monitor not in names:
            raise ConfigError(unknown("callbacks.quality.monitor", self.monitor, names))
        return names

    def on_train_start(self, trainer: Trainer, system: Any) -> None:
        """Start the clock."""
        self._from = system.images_seen
        self.allowance.begin()
        self._due.forget()

    def on_train_batch_end(self, trainer: Trainer, system: Any, *_: Any) -> None:
        """Evaluate when the run has passed another multiple of `every` images, and the budget permits it."""
        if self._due.now(system):
            with self.allowance.spending(), torch.random.fork_rng(devices=[]):
                found = self._evaluated(trainer, system)
            if found is not None:
                self._keep(trainer, system, found)
        if system.between_turns and self.has_ended(system.scores):
            trainer.should_stop = True

    def has_ended(self, scores: Mapping[str, float]) -> bool:
        """Say whether a run with these scores has used up its patience, whichever process counted."""
        return self.patience is not None and scores.get(WAITED, 0.0) >= self.patience

    def _evaluated(self, trainer: Trainer, system: System) -> Scores | None:
        """Evaluate, or return None to keep the budget; the first rank's clock counts."""
        gauge = self._gauge = self._gauge or self._made(trainer, system)
        last = system.images_seen >= system.total_images
        if not last and not gather(self._permitted(system, gauge))[0]:
            if trainer.is_global_zero:
                log.info("quality at %d images is skipped to keep its share of run time.", system.images_seen)
            return None
        entered = self.allowance.clock()
        found = gauge.evaluate(system)
        self._price = self.allowance.clock() - entered
        return {PREFIX + name: interval for name, interval in found.items()}

    def _made(self, trainer: Trainer, system: System) -> Gauge:
        problem = trainer.datamodule.problem  # type: ignore[attr-defined]
        network = feature_network(path=self.features)
        counts = (self.sources, self.references)
        gauge = Gauge.of(system, problem, network, counts, draws=self.draws, seed=self.seed)
        if trainer.is_global_zero:
            log.info("quality is measured on: %s", gauge.protocol.text())
        return gauge

    def _permitted(self, system: System, gauge: Gauge) -> bool:
        done = (system.images_seen - self._from) / (system.total_images - self._from)
        price = gauge.estimate(self.allowance.clock) if self._price is None else self._price
        return self.allowance.permits(price, done)

    def _keep(self, trainer: Trainer, system: System, found: Scores) -> None:
        """Hand the scores on: to checkpoints and sweeps, the loggers, the log and the run's folder."""
        scores = {name: interval.value for name, interval in found.items()}
        waiting = self._wait(self.patience, system.scores, scores) if self.patience is not None else {}
        system.take_scores({**scores, **waiting})
        log_metrics(trainer, system.images_seen, _row(found) | {f"{PREFIX}share": self.allowance.spent})
        if trainer.is_global_zero and self._gauge is not None:
            log.info("%s", self._told(system, self._gauge, found))
            self._write(Path(trainer.default_root_dir) / FILE, system, self._gauge, found)

    def _wait(self, patience: int, before: Mapping[str, float], scores: Mapping[str, float]) -> dict[str, float]:
        """Count evaluations since the best one; kept among the scores, so that a resumed run goes on counting."""
        best, score = before.get(BEST, math.nan), scores[self.monitor]
        better = not math.isnan(score) and (math.isnan(best) or score * self.sign < best * self.sign)
        waited = 0.0 if better else before.get(WAITED, 0.0) + 1
        if waited >= patience:
            log.info("%s was not better in %d evaluations: the run ends here.", self.monitor, waited)
        return {BEST: score if better else best, WAITED: waited}

    def _told(self, system: System, gauge: Gauge, found: Scores) -> str:
        """One line for the log: place and gain with their intervals, and the share of time taken so far."""
        sides = (Measured(name, found[PREFIX + name], gauge.protocol) for name in SIDES)
        printed = ", ".join(f"{side.score} {side.printed(2)}" for side in sides)
        spent, share = 100 * self.allowance.spent, 100 * self.allowance.share
        over = "" if spent <= share else f", over the budget of {share:.0f} %"
        marked = f"{printed} {gauge.protocol.mark()}".rstrip()
        return f"quality at {system.images_seen} images: {marked} ({spent:.1f} % of run time so far{over})"

    def _write(self, path: Path, system: System, gauge: Gauge, found: Scores) -> None:
        """Keep the newest scores beside their protocol."""
        report = {
            "images_seen": system.images_seen,
            "scores": {name: [_plain(value) for value in interval] for name, interval in found.items()},
            "trained_with": sorted(gauge.trained_with),
            "protocol": gauge.protocol.plain(),
            "share_of_run_time": round(self.allowance.spent, 4),
        }
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _share(budget: object) -> float:
    share = number("callbacks.quality.budget", budget, least=0)
    if share > 1:
        raise ConfigError(f"callbacks.quality.budget is a share of run time, at most 1, but got {budget!r}.")
    return share


def _row(found: Scores) -> dict[str, float]:
    """Put values and the ends of their intervals into a row for the loggers; what is no number is left out."""
    ends = {f"{name}/{end}": getattr(interval, end) for name, interval in found.items() for end in ("low", "high")}
    row = {name: interval.value for name, interval in found.items()} | ends
    return {name: value for name, value in row.items() if math.isfinite(value)}


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
