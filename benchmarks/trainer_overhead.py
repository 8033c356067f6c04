"""What a step costs beside its mathematics: `python -m benchmarks.trainer_overhead --output FILE`.

A pix2pix of a few thousand parameters, on pictures that are there already, is trained by `trainer.fit` as `train.py`
sets it up, without rows of losses and with one every 50 batches, and by a loop written by hand around the same method,
optimizers and loader. Figures are processor time per step, in turns, whole runs without their first steps. Watch,
validation, samples and checkpoints are left out: they have shares of a run's time of their own.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from pytorch_lightning import Callback

from benchmarks.inference.timing import interleaved
from benchmarks.record import machine
from benchmarks.toy_game import BATCH, composed
from ganstyle.data.problem import Example, Problem
from ganstyle.training.build import build_system, build_trainer
from ganstyle.training.callbacks.curves import Curves
from ganstyle.training.callbacks.signals import Signals
from ganstyle.training.callbacks.start import Start
from ganstyle.training.loaders import Loaders
from ganstyle.training.loggers import csv
from ganstyle.training.options import Options
from ganstyle.training.provenance import commit
from ganstyle.training.system import System
from ganstyle.training.weights import weighted_sum

STEPS, WARM_UP, ROUNDS = 600, 100, 9
BARS = {"fit": 1.5, "fit, a row every 50 steps": 2.0}
"""Milliseconds of the processor that a step may cost more than the loop's."""


def main() -> None:
    """Time all three, and write one results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/trainer_overhead.json"))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    words = parser.parse_args()
    torch.set_num_threads(1)
    taken = measured(words.rounds)
    result = {
        "command": f"python -m benchmarks.trainer_overhead --rounds {words.rounds}",
        "commit": commit(),
        "machine": machine(),
        "torch": torch.__version__,
        "protocol": f"pix2pix of a few thousand parameters, one thread, {STEPS} steps after {WARM_UP}; milliseconds of "
        "the processor per step: the median over the rounds; overhead: of the differences to the loop of the round",
        "arms": told(taken),
    }
    words.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["arms"], indent=2))


def measured(rounds: int, steps: int = STEPS, warm_up: int = WARM_UP) -> dict[str, list[float]]:
    """Milliseconds per step, round by round, of every arm."""
    with tempfile.TemporaryDirectory() as folder:
        run = partial(Run, Path(folder), steps, warm_up)
        arms = {"loop": run().loop, "fit": run().fit, "fit, a row every 50 steps": run(log_every=50).fit}
        milliseconds: dict[str, list[float]] = {name: [] for name in arms}
        ways = {name: partial(_noted, arm, milliseconds[name]) for name, arm in arms.items()}
        interleaved(ways, rounds, time.process_time, warm_up=0)
    return milliseconds


def _noted(arm: Callable[[], float], milliseconds: list[float]) -> None:
    milliseconds.append(1000 * arm())


def told(taken: Mapping[str, list[float]]) -> dict[str, dict[str, Any]]:
    """Summarize the rounds and hold them to the bars."""
    rows: dict[str, dict[str, Any]] = {}
    for name, times in taken.items():
        more = statistics.median(mine - loop for mine, loop in zip(times, taken["loop"], strict=True))
        rows[name] = {"milliseconds": round(statistics.median(times), 3), "overhead": round(more, 3)}
        if name in BARS:
            rows[name] |= {"at_most": BARS[name], "met": more <= BARS[name]}
    return rows


class Run:
    """A game that is trained anew every time, for so many steps after those that do not count."""

    def __init__(self, folder: Path, steps: int, warm_up: int, log_every: int | None = None) -> None:
        self.folder, self.steps, self.warm_up, self.log_every = folder, steps, warm_up, log_every
        self.config = composed("pix2pix", steps + warm_up, 0, ("system.ema=0", "system.decay_from=1.0"))
        self.options: Options = instantiate(self.config.trainer)
        problem: Problem = instantiate(self.config.data, _convert_="all")
        self.problem = replace(problem, train=Ready(problem))

    def fit(self) -> float:
        """Train as `train.py` does; seconds of the processor per step."""
        system, watch = self._system(), Stopwatch(self.steps, self.warm_up)
        rows = Curves(self.log_every or self.steps + self.warm_up + 1)
        loggers = [csv(self.folder)] if self.log_every else []
        callbacks: list[Callback] = [Start(0, None), Signals(), rows, watch]
        build_trainer(self.options, callbacks, loggers, self.folder).fit(system, datamodule=self._loaders(system))
        return watch.seconds

    def loop(self) -> float:
        """Train in a loop; seconds of the processor per step."""
        system, watch = self._system(), Stopwatch(self.steps, self.warm_up)
        optimizers = system.configure_optimizers()
        networks = [player.network for player in system.players]
        for number, batch in enumerate(self._loaders(system).train_dataloader()):
            watch.at(number)
            outputs = system.method(batch)
            for player, optimizer in zip(system.players, optimizers, strict=True):
                for network in networks:
                    network.requires_grad_(network is player.network)
                optimizer.zero_grad()
                torch.autograd.backward(weighted_sum(player.losses(outputs), system.weights[player.name]))
                optimizer.step()
        watch.at(number + 1)
        return watch.seconds

    def _system(self) -> System:
        torch.manual_seed(0)
        return build_system(self.config, self.options, self.problem)

    def _loaders(self, system: System) -> Loaders:
        return Loaders(self.problem, start=0, stop=system.total_images, batch_size=BATCH, workers=0)


class Ready:
    """Examples that are in memory."""

    def __init__(self, problem: Problem, count: int = 64) -> None:
        self._examples = [problem.train[number] for number in range(count)]

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, number: int) -> Example:
        return self._examples[number % len(self)]


class Stopwatch(Callback):
    """The processor's time per step, between the end of warming up and the end of the last step."""

    def __init__(self, steps: int, warm_up: int) -> None:
        self.steps, self.warm_up = steps, warm_up
        self.seconds = 0.0

    def at(self, number: int) -> None:
        """Look at the clock before step `number`."""
        if number == self.warm_up:
            self._began = time.process_time()
        if number == self.warm_up + self.steps:
            self.seconds = (time.process_time() - self._began) / self.steps

    def on_train_batch_start(self, trainer: Any, system: Any, batch: Any, batch_idx: int) -> None:
        """Look at the clock."""
        self.at(batch_idx)

    def on_train_batch_end(self, trainer: Any, system: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Look at the clock after the last step."""
        self.at(batch_idx + 1 if batch_idx + 1 == self.warm_up + self.steps else -1)


if __name__ == "__main__":
    main()
