"""Which pictures a report shows: the best, the median and the worst by each score, and the files they are kept in."""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from ganstyle.images import write
from ganstyle.metrics.evidence import Evidence
from ganstyle.metrics.headline import COPY
from ganstyle.metrics.results import Report
from ganstyle.metrics.tables import score_of

FOLDER = "pictures"
RANKS = ("best", "median", "worst")


class Comparison(NamedTuple):
    """Three results of one model, by one score."""

    model: str
    score: str
    numbers: tuple[int, ...]
    """Of the sources: best, median, worst."""
    values: tuple[float, ...]


def comparisons(report: Report) -> list[Comparison]:
    """Choose the pictures for every model and every score that has a number for each picture."""
    return [
        _chosen(model, score, values)
        for model in report.models
        for score, values in report.per_image[model].items()
        if all(map(isfinite, values))
    ]


def _chosen(model: str, score: str, values: Sequence[float]) -> Comparison:
    higher = score_of(score).better == "higher"
    order = sorted(range(len(values)), key=lambda number: (-values[number] if higher else values[number], number))
    numbers = (order[0], order[(len(order) - 1) // 2], order[-1])
    return Comparison(model, score, numbers, tuple(values[number] for number in numbers))


def keep_pictures(chosen: Sequence[Comparison], evidence: Evidence, folder: Path) -> None:
    """Write every picture that a comparison shows, once."""
    for model, numbers in _by_model(chosen).items():
        for number in sorted(numbers):
            for part, row in (("result", model), ("reference", COPY)):
                _write(evidence, row, number, folder / picture_name(model, number, part))
            pixels = evidence.sources.pictures[number].movedim(0, -1).numpy()
            write(pixels, folder / picture_name(model, number, "source"))


def picture_name(model: str, number: int, part: str) -> str:
    """Say in which file of the report folder a picture is kept; `part` is source, reference or result."""
    return f"{FOLDER}/{model.replace('/', '_')}-{number:04d}-{part}.png"


def _write(evidence: Evidence, row: str, number: int, path: Path) -> None:
    write(evidence.pictures[row][number].movedim(0, -1).numpy(), path)


def _by_model(chosen: Sequence[Comparison]) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = {}
    for comparison in chosen:
        found.setdefault(comparison.model, set()).update(comparison.numbers)
    return found
