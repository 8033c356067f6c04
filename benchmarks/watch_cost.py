"""Measure what the watch costs a step: `python -m benchmarks.watch_cost --output FILE`.

Stretches of training between two looks, one look included, alternate with stretches as long that nobody watches; the
figure is the ratio of their times next to each other, so that a busy machine cancels out. Everything is built as
`train.py` builds it, for the experiments named; the watch is that of conf/callbacks. Data are the toy's, at the
experiment's own size of picture.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from torch.utils.data import default_collate

from benchmarks.planted_faults import settings, watch
from benchmarks.record import machine
from benchmarks.toy_game import Game
from ganstyle.training.folder import conf_folder
from ganstyle.training.provenance import commit
from ganstyle.training.witness import Nobody
from ganstyle.types import Batch

EXPERIMENTS = {
    "quickstart": ("experiment=quickstart",),
    "quickstart_unpaired": ("experiment=quickstart_unpaired",),
    "vangogh": ("experiment=vangogh", "data=toy_unpaired", "data.size=128"),
}
IMAGES = 10**6
"""Of the run, which is never ended."""


def main() -> None:
    """Time every experiment and write one results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--experiments", nargs="+", default=list(EXPERIMENTS), choices=EXPERIMENTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    measured = {name: ratios(name, arguments.rounds) for name in arguments.experiments}
    result = {
        "command": f"python -m benchmarks.watch_cost --rounds {arguments.rounds}",
        "commit": commit(),
        "machine": machine(),
        "torch": torch.__version__,
        "protocol": f"one thread; time of {settings()['every']} steps and a look over that of as many steps alone, "
        "processor time of this process, alternating: median, least, greatest of the rounds",
        "ratios": {n: [round(f(r), 4) for f in (statistics.median, min, max)] for n, r in measured.items()},
    }
    arguments.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def ratios(experiment: str, rounds: int) -> list[float]:
    """Time stretches with and without the watch in turn, the first of each uncounted."""
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        few = ("data.scenes=16", "data.val=16", "data.held_out=1", f"trainer.max_images={IMAGES}")
        game = Game(compose("train", [*EXPERIMENTS[experiment], *few]))
    monitor, batches = watch(game), endless(game)
    found = []
    for number in range(rounds + 1):
        game.system.witness = monitor
        watched = timed(game, batches) + looked(monitor)
        game.system.witness = Nobody()
        alone = timed(game, batches)
        found += [watched / alone] if number else []
    return found


def endless(game: Game) -> Iterator[Batch]:
    """Yield the same few batches over and over, loaded beforehand."""
    size = game.config.trainer.batch_size
    images = [game.problem.train[number] for number in range(4 * size)]
    yield from cycle([default_collate(images[first : first + size]) for first in range(0, 4 * size, size)])


def timed(game: Game, batches: Iterator[Batch]) -> float:
    """Step from one look to the next and return the seconds of processor time."""
    began = time.process_time()
    for batch in islice(batches, settings()["every"]):
        game.system.training_step(batch, 0)
    return time.process_time() - began


def looked(monitor: Any) -> float:
    """Look and return the seconds of processor time."""
    began = time.process_time()
    monitor.watch()
    return time.process_time() - began


if __name__ == "__main__":
    main()
