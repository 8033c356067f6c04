"""From measurements to the rows of a report."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ganstyle.draws import seed_of
from ganstyle.metrics.evidence import BASELINES, CURVE, Evidence, Subject
from ganstyle.metrics.examinations import Found
from ganstyle.metrics.headline import COPY, Headline, judge, spread
from ganstyle.metrics.intervals import Interval, bootstrap_difference, bootstrap_mean
from ganstyle.metrics.plane import Measures, Plane
from ganstyle.metrics.protocol import Measured, Protocol
from ganstyle.metrics.results import Difference, Kind, Line, Report
from ganstyle.metrics.style import StyleScore

NO_NETWORK = "no network"
ALONE = "[alone]"
"""Behind the name of a set score: the same distance of a single picture."""


@dataclass(frozen=True)
class Findings:
    """All that a report is put together from."""

    evidence: Evidence
    subjects: Sequence[Subject]
    measures: Measures
    plane: Plane
    found: Sequence[Found]
    style: Sequence[StyleScore]
    seed: int

    @property
    def rows(self) -> tuple[str, ...]:
        """Every row in the order of the tables: models, baselines, the rest of the recoloring curve."""
        models = [subject.name for subject in self.subjects]
        return tuple(dict.fromkeys([*models, *BASELINES, *CURVE]))

    def subject(self, row: str) -> Subject | None:
        """The method whose row it is, if it is one."""
        return next((subject for subject in self.subjects if subject.name == row), None)


def assemble(findings: Findings) -> Report:
    """Put everything together that a report says."""
    names = [subject.name for subject in findings.subjects]
    return Report(
        protocol=findings.subjects[0].protocol,
        lines=tuple(_line(findings, row) for row in findings.rows),
        headlines={name: headline_of(name, findings.plane) for name in names},
        content_scores=findings.plane.content,
        style_scores=findings.plane.style,
        notes=(*_left_out(findings), *_akin(findings), *(note for found in findings.found for note in found.notes)),
        versus=(names[0], names[1]) if len(names) == 2 else None,
        differences=tuple(_differences(findings)) if len(names) == 2 else (),
        stems=findings.evidence.sources.stems,
        per_image={row: _each(findings, row) for row in findings.rows},
    )


def headline_of(row: str, plane: Plane, *, level: float = 0.95) -> Headline:
    """Compare one row of a plane with recoloring and with the baselines."""
    standings = plane.standings
    curve = [standings[name] for name in CURVE]
    return judge(standings[row], curve, {name: standings[name] for name in BASELINES}, level=level)


def _line(findings: Findings, row: str) -> Line:
    subject, standing = findings.subject(row), findings.plane.standings[row]
    protocol = subject.protocol if subject else _without_network(findings.subjects[0].protocol)
    trained_with, akin = (subject.trained_with, subject.akin) if subject else (frozenset(), frozenset())
    scores = {
        name: Measured(name, value, protocol, name in trained_with, name in akin)
        for name, value in _cells(findings, row)
    }
    return Line(row, _kind(findings, row), scores, spread(standing.content), spread(standing.style))


def _cells(findings: Findings, row: str) -> list[tuple[str, Interval]]:
    """Every number of a row: means over images, distances between sets, and what examinations found."""
    images = findings.evidence.described[row].scores.items()
    return [
        *((name, _mean(values, findings.seed, name)) for name, values in images),
        *((name, spread(rows[row])) for name, rows in findings.measures.style.items()),
        *((name, rows[row]) for found in findings.found for name, rows in found.scores.items() if row in rows),
    ]


def _each(findings: Findings, row: str) -> dict[str, tuple[float, ...]]:
    """Numbers of every single picture: its scores and, of a method, how far it is to the collection by itself."""
    described, styles = findings.evidence.described[row], findings.evidence.references_described
    scores = {name: tuple(values.tolist()) for name, values in described.scores.items()}
    if findings.subject(row) is None:
        return scores
    return scores | {
        f"{score.name}{ALONE}": tuple(
            score.distance(one, styles[score.name]) for one in torch.split(described.descriptors[score.name], 1)
        )
        for score in findings.style
    }


def _mean(values: Float[Tensor, " images"], seed: int, name: str) -> Interval:
    return bootstrap_mean(values, seed_of("mean", seed, name))


def _kind(findings: Findings, row: str) -> Kind:
    if findings.subject(row):
        return "model"
    return "baseline" if row in BASELINES else "recoloring"


def _without_network(protocol: Protocol) -> Protocol:
    """The protocol of rows that need no model."""
    return replace(protocol, weights="none", dropout=NO_NETWORK, normalization=NO_NETWORK)


def _differences(findings: Findings) -> list[Difference]:
    """How much higher the first method scores than the second, on the same pictures."""
    first, second = (subject.name for subject in findings.subjects)
    one, other = (findings.evidence.described[name].scores for name in (first, second))
    standings = findings.plane.standings
    gaps = {
        "content kept": spread(standings[first].content - standings[second].content),
        "style reached": spread(standings[first].style - standings[second].style),
        **{
            name: bootstrap_difference(one[name], other[name], seed_of("difference", findings.seed, name))
            for name in one
        },
        **{name: spread(rows[first] - rows[second]) for name, rows in findings.measures.style.items()},
    }
    return [Difference(name, gap) for name, gap in gaps.items()]


def _akin(findings: Findings) -> list[str]:
    """Say which models learned through features that the judge's network taught, or that taught it."""
    return [
        f"{subject.name} was trained through features that {subject.protocol.features}, which judges, taught or was "
        f"taught by: {' and '.join(sorted(subject.akin))}, marked §, may flatter it."
        for subject in findings.subjects
        if subject.akin
    ]


def _left_out(findings: Findings) -> list[str]:
    """Say which scores take no part in the plane, and why."""
    used = {*findings.plane.content, *findings.plane.style}
    trained = {score for subject in findings.subjects for score in subject.trained_with}
    idle = [name for name in (*findings.measures.content, *findings.measures.style) if name not in used]
    return [
        f"{name} is left out of the headline: "
        + ("a model was trained with it." if name in trained else f"it does not tell identity from {COPY} here.")
        for name in idle
    ]
