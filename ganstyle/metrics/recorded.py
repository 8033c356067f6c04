"""What a training run left on disk: its curves, and what the watch over it said."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ganstyle.errors import DataError

X_AXIS = "images_seen"
NOT_CURVES = frozenset({X_AXIS, "step", "epoch"})


class Curve(NamedTuple):
    """One value as the run went on."""

    images: tuple[float, ...]
    """How many images had been seen, in rising order."""
    values: tuple[float, ...]


class Event(NamedTuple):
    """Something that the health monitor saw."""

    images: float
    """How many images had been seen then."""
    name: str


class Recorded(NamedTuple):
    """A run's saved results."""

    title: str
    """The experiment and the run."""
    curves: Mapping[str, Curve]
    """By the name under which the value was logged, e.g. `train/generator/l1`; no curve is empty."""
    events: tuple[Event, ...]
    protocol: str = ""
    """How the scores of `callbacks=quality` were measured, in short."""


def recorded(run_folder: Path | str) -> Recorded:
    """Read what a run saved; a run that was resumed, or rolled back, is read as the course that led to its end.

    Raises:
        DataError: the folder holds no curves, or a file that cannot be read.
    """
    folder = Path(run_folder)
    rows = [row for file in _files(folder) for row in _rows(file)]
    curves = _curves(rows)
    if not curves:
        raise DataError(f"{folder} holds no curves yet; they come with the first row of the csv logger.")
    where = folder.resolve()
    events, protocol = _events(folder / "health.json"), _protocol(folder / "quality.json")
    return Recorded(f"{where.parent.name}/{where.name}", curves, events, protocol)


def _files(folder: Path) -> list[Path]:
    """List the csv logger's files, one for every start of the run, in the order of the starts."""
    found = list(folder.glob("csv/version_*/metrics.csv"))
    if not found:
        raise DataError(f"{folder} is not a run folder with curves: it holds no csv/version_0/metrics.csv.")
    return sorted(found, key=lambda path: int("0" + path.parent.name.removeprefix("version_")))


def _rows(file: Path) -> Iterator[dict[str, float]]:
    """Yield the numbers of each row by column; empty cells and what is not a finite number are left out."""
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                yield {name: value for name, text in row.items() if name and (value := _number(text)) is not None}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} cannot be read as the csv logger's file ({error}).") from None


def _number(text: object) -> float | None:
    try:
        value = float(str(text))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _curves(rows: list[dict[str, float]]) -> dict[str, Curve]:
    """Join rows to curves; where the count of images falls back, what lay beyond was abandoned."""
    points: dict[str, dict[float, float]] = {}
    last = -math.inf
    for row in rows:
        if X_AXIS not in row:
            continue
        images = row[X_AXIS]
        if images < last:
            points = {name: {x: y for x, y in of.items() if x < images} for name, of in points.items()}
        last = images
        for name in row.keys() - NOT_CURVES:
            points.setdefault(name, {})[images] = row[name]
    return {name: Curve(tuple(of), tuple(of.values())) for name, of in sorted(points.items()) if of}


def _events(file: Path) -> tuple[Event, ...]:
    """Read the health monitor's verdicts; a run without a monitor has none."""
    if not file.is_file():
        return ()
    try:
        saved: Any = json.loads(file.read_text(encoding="utf-8"))
        verdicts = saved["verdicts"] if isinstance(saved, Mapping) else saved
        return tuple(sorted(Event(float(one["images_seen"]), str(one["name"])) for one in verdicts))
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"{file} is damaged: it does not list verdicts with their names and images_seen.") from None


def _protocol(file: Path) -> str:
    """Say in short how the scores in the loop were measured; a run that was not judged has nothing to say."""
    if not file.is_file():
        return ""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))["protocol"]
        windows = f"{told['crops']} windows of {told['paintings']} {told['reference']}"
        return f"{told['sources']} of {told['data']}, against {windows}; {told['size']} px, features {told['features']}"
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"{file} is damaged: it does not hold the protocol that scores were measured by.") from None
