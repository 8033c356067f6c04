"""A fixed place to measure one method at again and again, as it learns: everything but the method is measured once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from ganstyle.errors import DataError
from ganstyle.metrics.headline import COPY, judge, spread
from ganstyle.metrics.intervals import Interval
from ganstyle.metrics.judge import Judge, joined
from ganstyle.metrics.plane import IDENTITY, Described, Halves, Measures, Plane, measure, place
from ganstyle.metrics.recolor import Collection, baseline_rows
from ganstyle.metrics.sets import References, Sources, as_bytes, as_images
from ganstyle.metrics.shards import chunks
from ganstyle.types import Image

CURVE = (IDENTITY, "half-blend", "mkl")
"""Recoloring of strength 0, 1/2 and 1, between which the style at equal content is read."""
METHOD = "method"
SIDES = ("content", "style", "gain")
"""Content kept, style reached, and what of it recoloring does not give at equal content."""
UNKNOWN = Interval(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Yardstick:
    """Baselines and references in numbers, on the same half samples at every measurement."""

    judge: Judge
    halves: Halves
    baselines: Measures
    references: Mapping[str, Tensor]
    """Descriptors of the references by style score."""
    trained_with: frozenset[str]
    """Scores that the method is trained to do well in, which take no part in its place."""

    @classmethod
    def of(
        cls,
        sources: Sources,
        references: References,
        judge: Judge,
        *,
        trained_with: frozenset[str] = frozenset(),
        seed: int,
        draws: int,
    ) -> "Yardstick":
        """Describe the baselines and the references of fixed sets.

        Args:
            sources: the photographs that a method will restyle.
            references: pictures in the style to reach.
            judge: what to judge by.
            trained_with: scores that the method is trained to do well in.
            seed: of copied pictures and half samples.
            draws: half samples on which the intervals rest.
        """
        photographs, crops = as_images(sources.pictures), as_images(references.crops)
        rows = {name: _described(judge, photographs, row) for name, row in _rows(photographs, crops, seed).items()}
        styles = _described(judge, crops, crops).descriptors
        halves = Halves.of(len(sources), references.painting, seed=seed, draws=draws)
        baselines = measure(rows, styles, judge.content, judge.style, halves)
        return cls(judge, halves, baselines, styles, trained_with)

    def read(self, method: Described) -> dict[str, Interval]:
        """Measure a method's pictures: its place in the plane, its gain, and every score by itself.

        The place is not a number where no score tells these photographs from these references.
        """
        own = measure({METHOD: method}, self.references, self.judge.content, self.judge.style, self.halves)
        scores = {name: spread(rows[METHOD]) for name, rows in {**own.content, **own.style}.items()}
        truth = {name: spread(self.halves.mean(method.scores[name])) for name in self.judge.truth}
        return self._placed(own) | scores | truth

    def _placed(self, own: Measures) -> dict[str, Interval]:
        try:
            standings = self._plane(own).standings
        except DataError:
            return dict.fromkeys(SIDES, UNKNOWN)
        others = {name: standings[name] for name in (*CURVE, COPY)}
        found = judge(standings[METHOD], [standings[name] for name in CURVE], others)
        return dict(zip(SIDES, (found.content, found.style, found.gain), strict=True))

    def _plane(self, own: Measures) -> Plane:
        """Place the method among the baselines."""
        content = {name: {**rows, **own.content[name]} for name, rows in self.baselines.content.items()}
        style = {name: {**rows, **own.style[name]} for name, rows in self.baselines.style.items()}
        return place(content, style, sorted(self.trained_with))


def score_names(judge: Judge) -> list[str]:
    """Name what `Yardstick.read` gives."""
    return [*SIDES, *judge.content, *(score.name for score in judge.style), *judge.truth]


def _rows(photographs: Image, crops: Collection, seed: int) -> dict[str, Image]:
    """Make the baselines, in 8 bits like everything that is judged."""
    rows = baseline_rows(photographs, crops, seed)
    return {name: as_images(as_bytes(rows[name])) for name in (*CURVE, COPY)}


def _described(judge: Judge, photographs: Image, results: Image) -> Described:
    """Put a row into numbers, a few pictures at a time; scores against a known answer are not asked."""
    asked = replace(judge, truth={})
    return joined([asked.describe(photographs[list(c)], results[list(c)]) for c in chunks(len(photographs))])
