"""ganstyle's steps on what its own loader brings: JPEG files of photographs' size, a cache, loading processes."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from benchmarks.data_speed import write_jpegs
from benchmarks.train.ours import RECIPES, Arm
from benchmarks.train.parts import clock
from ganstyle.data.problem import Problem
from ganstyle.training.folder import conf_folder
from ganstyle.training.loaders import Loaders, to_device


def pictures(folder: Path, count: int) -> Path:
    """Write so many JPEG files a side, as pairs and collections without pairs are both found."""
    folder.mkdir()
    for side in ("trainA", "trainB"):
        write_jpegs(folder / side, count, [])
    return folder


class Fed:
    """An arm that takes every batch from a loader, as `train.py` builds it for the recipe's own data."""

    def __init__(self, arm: Arm, recipe: str, size: int, folder: Path, workers: int) -> None:
        self.arm, self.size, self.workers = arm, size, workers
        experiment, _ = RECIPES[recipe]
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            config = compose("train", [experiment, f"data.root='{folder}'", f"data.cache='{folder}/cache'"])
        problem: Problem = instantiate(config.data, _convert_="all")
        loaders = Loaders(problem, start=0, stop=10**6 * size, batch_size=size, workers=workers)
        self.batches: Iterator[Any] = iter(loaders.train_dataloader())

    def step(self) -> float:
        """Train on the next batch; returns the seconds until it was there."""
        began = time.perf_counter()
        batch = to_device(next(self.batches), self.arm.game.system.device)
        waited = time.perf_counter() - began
        self.arm.step(batch)
        return waited

    def timed(self, steps: int) -> dict[str, Any]:
        """Say what steps in a row take, after those whose batches were loaded while others stepped."""
        for _ in range(2 * self.workers + 1):
            self.step()
        began = clock()
        waits = [self.step() for _ in range(steps)]
        seconds = (clock() - began) / steps
        return {
            "milliseconds": round(1000 * seconds, 3),
            "images_per_second": round(self.size / seconds, 1),
            "milliseconds_waited_for_a_batch": round(1000 * statistics.mean(waits), 3),
            "greatest_wait": round(1000 * max(waits), 3),
            "workers": self.workers,
            "steps": steps,
        }
