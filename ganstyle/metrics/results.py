"""What an evaluation found, in plain values: everything that reports and figures are made of."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from ganstyle.metrics.headline import Headline, explanation, sentence
from ganstyle.metrics.intervals import Interval
from ganstyle.metrics.protocol import Measured, Protocol

Kind = Literal["model", "baseline", "recoloring"]
FORMAT = 1


@dataclass(frozen=True)
class Line:
    """One row of the tables."""

    name: str
    kind: Kind
    scores: Mapping[str, Measured]
    content: Interval
    """Content kept, 1 for the untouched photographs."""
    style: Interval
    """Style reached, 1 for pictures of the collection."""


@dataclass(frozen=True)
class Difference:
    """How much higher the first of two models scores than the second, on the same pictures."""

    score: str
    interval: Interval


@dataclass(frozen=True)
class Report:
    """Everything that was found."""

    protocol: Protocol
    lines: tuple[Line, ...]
    """Models first, then the baselines, then recoloring by growing strength."""
    headlines: Mapping[str, Headline]
    """By model."""
    content_scores: tuple[str, ...]
    """What content kept is the mean of."""
    style_scores: tuple[str, ...]
    """What style reached is the mean of."""
    notes: tuple[str, ...]
    """What a reader has to know beside the numbers, a sentence each."""
    versus: tuple[str, str] | None
    """The two models of a comparison."""
    differences: tuple[Difference, ...]
    stems: tuple[str, ...]
    per_image: Mapping[str, Mapping[str, tuple[float, ...]]]
    """Row -> score -> one number for each source."""

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the rows that are judged."""
        return tuple(line.name for line in self.lines if line.kind == "model")

    def opening(self) -> list[str]:
        """The first sentence for every model, each followed by its explanation; what was judged comes last."""
        pairs = [(sentence(name, found), explanation(found)) for name, found in self.headlines.items()]
        return [*(text for pair in pairs for text in pair), self.protocol.counts()]


def plain(report: Report) -> dict[str, Any]:
    """The report as metrics.json holds it; the protocol stands beside every row."""
    return {
        "format": FORMAT,
        "opening": report.opening(),
        "headlines": {name: _plain_headline(found) for name, found in report.headlines.items()},
        "content_scores": list(report.content_scores),
        "style_scores": list(report.style_scores),
        "protocol": report.protocol.plain(),
        "rows": [_plain_line(line) for line in report.lines],
        "versus": report.versus,
        "differences": {found.score: _bounds(found.interval) for found in report.differences},
        "notes": list(report.notes),
    }


def per_image_csv(report: Report) -> str:
    """One line for every source and row, one column for every score."""
    scores = list(dict.fromkeys(score for row in report.per_image.values() for score in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["source", "row", *scores])
    for number, stem in enumerate(report.stems):
        for row, found in report.per_image.items():
            writer.writerow([stem, row, *(f"{found[score][number]:.9g}" if score in found else "" for score in scores)])
    return text.getvalue()


def card_metrics(report: Report) -> list[tuple[str, float, str]]:
    """Name, value and protocol of every finite number of the first model, for its artifact's card."""
    line = report.lines[0]
    found = report.headlines[line.name]
    plane = {"gain over recoloring": found.gain, "content kept": line.content, "style reached": line.style}
    values = plane | {name: measured.interval for name, measured in line.scores.items()}
    protocol = line.scores[next(iter(line.scores))].protocol.text()
    return [
        (name, value.value, f"95 % interval {value.low:.4g} to {value.high:.4g}; {protocol}")
        for name, value in values.items()
        if isfinite(value.value)
    ]


def _plain_headline(found: Headline) -> dict[str, Any]:
    return {
        "gain": _bounds(found.gain),
        "content": _bounds(found.content),
        "style": _bounds(found.style),
        "place": found.place,
        "curve_ends": found.curve_ends,
        "as_good": list(found.as_good),
        "better": found.better,
    }


def _plain_line(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "kind": line.kind,
        "mark": next(iter(line.scores.values())).protocol.mark(),
        "content": _bounds(line.content),
        "style": _bounds(line.style),
        "scores": {name: _plain_measured(measured) for name, measured in line.scores.items()},
        "protocol": next(iter(line.scores.values())).protocol.plain(),
    }


def _plain_measured(measured: Measured) -> dict[str, Any]:
    return _bounds(measured.interval) | {"trained_with": measured.trained_with, "akin": measured.akin}


def _bounds(interval: Interval) -> dict[str, float | None]:
    """An interval as JSON holds it; null where a number is infinite or missing."""
    return {name: value if abs(value) < float("inf") else None for name, value in interval._asdict().items()}
