"""Arms that step when they are told, each in a process of its own with the settings that its users run it with.

`python -m benchmarks.train.turns RECIPE ARM SIZE THREADS` answers every line of words with a line of JSON.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Any

import torch
from torch import nn

from benchmarks.train.incumbent import GAMES, clocked
from benchmarks.train.ours import SIDE, Arm
from benchmarks.train.parts import clock, split
from ganstyle.backends.peak import most
from ganstyle.training.allocator import keep_freed_memory
from ganstyle.types import Batch

OURS: Mapping[str, str] = {"ganstyle fp32": "32", "ganstyle": "auto"}
"""ganstyle's arms and their precision."""
BASELINE = "incumbent"
SETTINGS = {"OMP_WAIT_POLICY": "PASSIVE"}
"""What `train.py` sets before PyTorch is there."""


class Turns:
    """The processes of the baseline and of ganstyle's arms; `ways` are their steps."""

    def __init__(self, recipe: str, size: int, threads: int, arms: Iterable[str] = tuple(OURS)) -> None:
        words = {name: (recipe, name, str(size), str(threads)) for name in (BASELINE, *arms)}
        self._processes = {name: _started(name, own) for name, own in words.items()}

    @property
    def ways(self) -> dict[str, Callable[[], object]]:
        """A step of each arm."""
        return {name: partial(self.ask, name, "step") for name in self._processes}

    def ask(self, name: str, question: str) -> Any:
        """Have an arm do something, and wait for what it says."""
        process = self._processes[name]
        assert process.stdin
        assert process.stdout
        print(question, file=process.stdin, flush=True)
        return json.loads(process.stdout.readline())

    def __enter__(self) -> "Turns":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self._processes.values():
            process.communicate()


def _started(name: str, words: tuple[str, ...]) -> "subprocess.Popen[str]":
    settings = SETTINGS if name in OURS else {}
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.train.turns", *words],
        env=os.environ | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def images(size: int) -> Batch:
    """Draw a batch of smooth pictures."""
    coarse = torch.rand(2 * size, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    source, target = nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bicubic").clamp(-1, 1).chunk(2)
    return {"source": source, "target": target, "seed": torch.arange(size)}


def main(recipe: str, name: str, size: str, threads: str) -> None:
    """Answer until there are no more questions."""
    torch.set_num_threads(int(threads))
    if name in OURS:
        keep_freed_memory()
    arm: Any = Arm(recipe, int(size), OURS[name]) if name in OURS else GAMES[recipe]()
    batch = images(int(size))

    def step() -> float:
        arm.step(batch)
        return clock()

    answers: Mapping[str, Callable[[], object]] = {
        "step": step,
        "split": lambda: split(step, arm.clocked() if name in OURS else clocked(arm)),
        "peak": lambda: round(most() / 1e9, 2),
    }
    for question in sys.stdin:
        print(json.dumps(answers[question.strip()]()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
