"""Every step of a compression beside the others: what it takes, and how near it stays to the teacher."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from ganstyle.artifact import Artifact, load
from ganstyle.backends.likeness import drawn, psnr
from ganstyle.backends.model import Compute, Images, threads
from ganstyle.backends.pace import processor
from ganstyle.backends.reports import files_of
from ganstyle.compress.size import SIDE, Size, size_of
from ganstyle.compress.target import OPERATIONS, TIME
from ganstyle.export.portable import side_of
from ganstyle.export.write import computing

RUNS = 7
"""How often each rung paints the picture that is timed, in turns."""


@dataclass(frozen=True)
class Step:
    """What is measured: a folder of an artifact, or a file that was exported from one."""

    name: str
    path: Path
    artifact: Path
    """Whose parameters and multiply-adds it has."""


@dataclass(frozen=True)
class Rung:
    """What was measured of one step."""

    name: str
    file: str
    parameters: int
    multiply_adds: float
    """Of a picture of 256 x 256 pixels."""
    bytes: int
    """On disk."""
    milliseconds: float
    """Median for one picture of 256 x 256 pixels."""
    distance: float
    """Mean absolute difference to the teacher's pictures, in [-1, 1]."""
    psnr: float
    """To the teacher's pictures, in dB of a range of 2; mean over pictures."""


@dataclass(frozen=True)
class Goal:
    """One thing that was to be reached."""

    what: str
    wanted: float
    """Times fewer, or as fast."""
    reached: float

    @property
    def met(self) -> bool:
        """Whether it was."""
        return self.reached >= self.wanted


def measured(steps: Sequence[Step], pictures: Sequence[Images]) -> list[Rung]:
    """Measure all steps; the first is the teacher.

    Args:
        steps: what to measure.
        pictures: photographs that no step has learned from, one at a time, of sides that all steps take.
    """
    computes = {step.name: computing(step.path) for step in steps}
    taken = timed(computes, _side(load(steps[0].artifact)))
    truths = [computes[steps[0].name](picture, None) for picture in pictures]
    return [_rung(step, taken[step.name], computes[step.name], pictures, truths) for step in steps]


def timed(computes: Mapping[str, Compute], side: int) -> dict[str, float]:
    """Milliseconds for one picture, by name: medians of runs in turns, after one that does not count."""
    picture = drawn(side, side, 0)
    taken: dict[str, list[float]] = {name: [] for name in computes}
    for _ in range(RUNS + 1):
        for name, compute in computes.items():
            start = time.perf_counter()
            compute(picture, None)
            taken[name].append(1000 * (time.perf_counter() - start))
    return {name: round(median(times[1:]), 2) for name, times in taken.items()}


def distance(compute: Compute, pictures: Sequence[Images], truths: Sequence[Images]) -> float:
    """Mean absolute difference of what is painted to what should be."""
    return float(np.mean([np.abs(compute(p, None) - t).mean() for p, t in zip(pictures, truths, strict=True)]))


def goals(teacher: Rung, last: Rung, factor: float) -> list[Goal]:
    """Compare the first rung and the last with what a factor asks for."""
    return [
        Goal("fewer parameters", factor, teacher.parameters / last.parameters),
        Goal("fewer multiply-adds", OPERATIONS * factor, teacher.multiply_adds / last.multiply_adds),
        Goal("as fast", TIME * factor, teacher.milliseconds / last.milliseconds),
    ]


def plain(rungs: Sequence[Rung], reached: Sequence[Goal]) -> dict[str, Any]:
    """Rungs and goals as a report holds them, with the machine that the times are of."""
    return {
        "ladder": [asdict(rung) for rung in rungs],
        "goals": [asdict(goal) | {"met": goal.met} for goal in reached],
        "processor": processor(),
        "threads": threads(),
        "load": round(os.getloadavg()[0], 2),
    }


def _rung(
    step: Step, milliseconds: float, compute: Compute, pictures: Sequence[Images], truths: Sequence[Images]
) -> Rung:
    size: Size = size_of(load(step.artifact).network)
    painted = [compute(picture, None) for picture in pictures]
    pairs = list(zip(painted, truths, strict=True))
    return Rung(
        step.name,
        step.path.name,
        size.parameters,
        size.multiply_adds,
        _bytes(step.path),
        milliseconds,
        float(np.mean([np.abs(one - other).mean() for one, other in pairs])),
        float(np.mean([psnr(one, other) for one, other in pairs])),
    )


def _side(artifact: Artifact) -> int:
    return side_of(artifact.network, SIDE)


def _bytes(path: Path) -> int:
    """Of an artifact's folder, or an exported file; OpenVINO's are two."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.iterdir())
    return sum(file.stat().st_size for file in files_of(path))
