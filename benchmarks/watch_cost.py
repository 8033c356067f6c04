"""Measure what the watch costs a step: `python -m benchmarks.watch_cost --output FILE`.

In one real run of each experiment, stretches of steps that end with a look alternate with stretches as long that nobody
watches; the figure is the ratio of their times next to each other, so that a busy machine cancels out. Everything is
built as `train.py` builds it, trainer, loggers and the callback of conf/callbacks included, and time is what a clock on
the wall shows, once the device has done what it was asked. Data are the toy's, at the experiment's own size of picture,
loaded beforehand. A GPU takes one large method more: CycleGAN with its ResNet-9 at 256 px.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning import Callback, LightningDataModule, Trainer
from torch.utils.data import default_collate

from benchmarks.record import machine
from ganstyle.data.problem import Problem
from ganstyle.training.allocator import keep_freed_memory
from ganstyle.training.build import build_system, build_trainer
from ganstyle.training.callbacks.health import Health
from ganstyle.training.folder import conf_folder
from ganstyle.training.loaders import Loaded, to_device
from ganstyle.training.loggers import opened
from ganstyle.training.options import Options
from ganstyle.training.provenance import commit
from ganstyle.training.witness import Nobody

EXPERIMENTS = {
    "quickstart": ("experiment=quickstart",),
    "quickstart_unpaired": ("experiment=quickstart_unpaired",),
    "vangogh": ("experiment=vangogh", "data=toy_unpaired", "data.size=128"),
}
LARGE = {"cyclegan_resnet9": ("method=cyclegan", "data=toy_unpaired", "data.size=256", "trainer.batch_size=1")}
"""On a GPU only: a step takes six seconds of a processor."""
EVERYWHERE = ("data.scenes=64", "data.val=16", "data.held_out=1", "trainer.max_images=1000000")
PICTURES = 64
"""Loaded beforehand; the run goes around them."""
Times = list[float]


def main() -> None:
    """Time every experiment and write one results file."""
    there = EXPERIMENTS | (LARGE if torch.cuda.is_available() else {})
    arguments = _arguments(there)
    keep_freed_memory()
    torch.set_num_threads(1)
    device = "gpu" if torch.cuda.is_available() else "cpu"
    own = (*EVERYWHERE, f"trainer.accelerator={device}", *arguments.overrides)
    measured = {name: seconds((*there[name], *own), arguments.rounds) for name in arguments.experiments or there}
    result = {
        "command": " ".join(["python -m benchmarks.watch_cost", *_told(arguments)]),
        "commit": commit(),
        "machine": machine(),
        "torch": torch.__version__,
        "protocol": f"one thread, {device}; time on the wall of the steps up to a look, the whole callback included, "
        "over that of as many steps alone, alternating in one run, the device waited for at the end of each: median, "
        "least, greatest of the rounds; milliseconds of a step alone (median)",
        "overrides": list(own),
        "experiments": {name: summed(times) for name, times in measured.items()},
    }
    arguments.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def summed(times: tuple[int, Times, Times]) -> dict[str, Any]:
    """Return the ratios and the pace of one experiment."""
    steps, watched, alone = times
    ratios = [one / other for one, other in zip(watched, alone, strict=True)]
    return {
        "ratio": [round(f(ratios), 4) for f in (statistics.median, min, max)],
        "rounds": len(ratios),
        "steps": steps,
        "milliseconds a step": round(1000 * statistics.median(alone) / steps, 2),
    }


def seconds(overrides: tuple[str, ...], rounds: int) -> tuple[int, Times, Times]:
    """Run an experiment; return the steps of a stretch, and the seconds of those with and those without the watch."""
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        config = compose("train", [*overrides])
    torch.manual_seed(config.seed)
    options: Options = instantiate(config.trainer)
    problem: Problem = instantiate(config.data, _convert_="all")
    system = build_system(config, options, problem)
    turns = Turns(_health(config), rounds)
    with tempfile.TemporaryDirectory() as folder, opened(config.logger, Path(folder)) as loggers:
        trainer = build_trainer(options, [turns], loggers, Path(folder))
        trainer.fit(system, datamodule=Repeated(problem, options.batch_size))
    return turns.health.every, turns.times[2::2], turns.times[3::2]


def _health(config: DictConfig) -> Health:
    health: Health = instantiate(config.callbacks.health, _convert_="all")
    health.begin(None)
    return health


class Turns(Callback):
    """Lets the watch look on in every second stretch of steps, and takes the time of each; the first two are practice.

    Each kind records its passes for itself (CUDA graphs), so that what nobody watches holds nothing for the watch.

    Args:
        health: the watch.
        rounds: pairs of stretches that count.
    """

    def __init__(self, health: Health, rounds: int) -> None:
        self.health, self.stretches = health, 2 * (rounds + 1)
        self.times: Times = []
        self._steps = 0

    def setup(self, trainer: Trainer, system: Any, stage: str) -> None:
        """Let the watch prepare itself."""
        self.health.setup(trainer, system, stage)

    def on_train_start(self, trainer: Trainer, system: Any) -> None:
        """Begin with a watched stretch."""
        self.health.on_train_start(trainer, system)
        self.passes = {True: system.passes, False: type(system.passes)()}
        self._began = time.perf_counter()

    def on_train_batch_end(self, trainer: Trainer, system: Any, *given: Any) -> None:
        """End a stretch when it is due, and let the other kind begin."""
        watched = len(self.times) % 2 == 0
        if watched:
            self.health.on_train_batch_end(trainer, system, *given)
        self._steps += 1
        if self._steps % self.health.every:
            return
        if system.device.type == "cuda":
            torch.cuda.synchronize()
        self.times.append(time.perf_counter() - self._began)
        system.witness, system.passes = Nobody() if watched else self.health.monitor, self.passes[not watched]
        trainer.should_stop = len(self.times) == self.stretches
        self._began = time.perf_counter()


class Repeated(LightningDataModule):
    """The same pictures over and over, loaded beforehand."""

    def __init__(self, problem: Problem, batch_size: int) -> None:
        super().__init__()
        self.problem, self.batch_size = problem, batch_size

    def train_dataloader(self) -> "Forever":
        """Return the batches."""
        examples = Loaded(self.problem.train)
        images = [examples[number] for number in range(PICTURES)]
        size = self.batch_size
        return Forever([default_collate(images[first : first + size]) for first in range(0, PICTURES - size + 1, size)])

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Bring a batch where it is needed, as a run does."""
        return to_device(batch, device)


class Forever:
    """Batches without an end."""

    def __init__(self, batches: list[Mapping[str, Any]]) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return cycle(self.batches)


def _arguments(there: Mapping[str, Any]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=40 if torch.cuda.is_available() else 6)
    parser.add_argument("--experiments", nargs="+", choices=there, help="some of them only")
    parser.add_argument("--overrides", nargs="+", default=[], help="of the configuration, e.g. trainer.compile=false")
    return parser.parse_args()


def _told(arguments: argparse.Namespace) -> list[str]:
    chosen = ["--experiments", *arguments.experiments] if arguments.experiments else []
    changed = ["--overrides", *arguments.overrides] if arguments.overrides else []
    return ["--rounds", str(arguments.rounds), *chosen, *changed]


if __name__ == "__main__":
    main()
