"""The headline of an evaluation: the style that a method gains over recoloring at equal content.

A method stands in a plane of two sides. Content kept is 1 for the untouched photographs and 0 for paintings that have
nothing to do with them; style reached is 0 for the untouched photographs and 1 for pictures of the collection itself.
Doing nothing and copying are therefore the corners, and a single score would always crown one of them.

What needs no learning is recoloring, from strength 0 (identity) to 1 (full), and from every strength a straight line to
copied pictures, on which one lies who tosses a coin for each photograph between the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ganstyle.metrics.intervals import Interval, around

COPY = "style-copy"
"""The baseline at the far corner: pictures of the collection in place of results."""
Place = Literal["on the curve", "below the curve", "above the curve"]


class Point(NamedTuple):
    """A place in the plane."""

    content: float
    """Content kept: 1 is the untouched photograph, 0 an unrelated painting."""
    style: float
    """Style reached: 0 is the untouched photograph, 1 the collection itself."""


class Reading(NamedTuple):
    """What needs no learning reaches at some content."""

    style: float
    place: Place
    """Of the content; straight lines to copied pictures are read on the curve, too, and alone below it."""


@dataclass(frozen=True)
class Standing:
    """Where one row stands in the plane, and where it would stand with other pictures.

    The first entry is the measurement, the others are resamples; entry k of every row comes from the same pictures.
    """

    content: Float[Tensor, " draws"]
    style: Float[Tensor, " draws"]

    def points(self) -> list[Point]:
        """One point per entry."""
        return [Point(*pair) for pair in zip(self.content.tolist(), self.style.tolist(), strict=True)]


def read(curve: Sequence[Point], copy: Point, content: float) -> Reading:
    """Read the style that needs no learning at some content.

    It is the most that lies on a straight line to copied pictures from any strength that keeps at least that content;
    on the curve, what recoloring itself reaches there counts, too.

    Args:
        curve: recoloring by growing strength, from the untouched photographs to full.
        copy: copied pictures of the collection.
        content: of the method that is compared.
    """
    most, least = max(point.content for point in curve), min(point.content for point in curve)
    if content > most:
        return Reading(max(point.style for point in curve if point.content == most), "above the curve")
    kept = [point for point in curve if point.content >= content]
    tossed = [_between(point, copy, max(content, copy.content)) for point in kept]
    if content < least:
        return Reading(max(tossed), "below the curve")
    crossed = [_between(a, b, content) for a, b in pairwise(curve) if _crosses(a, b, content)]
    return Reading(max([*(point.style for point in kept), *crossed, *tossed]), "on the curve")


def _crosses(a: Point, b: Point, content: float) -> bool:
    return min(a.content, b.content) < content < max(a.content, b.content)


def _between(a: Point, b: Point, content: float) -> float:
    """Style on the straight line through two points of different content."""
    share = (content - a.content) / (b.content - a.content)
    return a.style + share * (b.style - a.style)


@dataclass(frozen=True)
class Headline:
    """How a method compares with what needs no learning."""

    gain: Interval
    """Style reached beyond what needs no learning at the same content."""
    content: Interval
    style: Interval
    place: Place
    curve_ends: float
    """Content that full recoloring keeps, the least on the curve."""
    as_good: tuple[str, ...]
    """Baselines that the method does not clearly beat on either side."""

    @property
    def better(self) -> bool:
        """Whether the gain is clear of zero and no baseline is as good on both sides."""
        return self.gain.low > 0 and not self.as_good

    @property
    def worse(self) -> bool:
        """Whether recoloring is clearly better."""
        return self.gain.high < 0


def judge(
    method: Standing, curve: Sequence[Standing], baselines: Mapping[str, Standing], *, level: float = 0.95
) -> Headline:
    """Compare a method with recoloring of every strength and with the baselines, `COPY` among them.

    Args:
        method: where the method stands.
        curve: where recoloring stands, by growing strength from identity to full.
        baselines: where the rows beside the method stand, by name.
        level: of the intervals, e.g. 0.95.
    """
    readings = [
        read(points, copy, own.content)
        for own, copy, points in zip(
            method.points(),
            baselines[COPY].points(),
            zip(*(standing.points() for standing in curve), strict=True),
            strict=True,
        )
    ]
    gains = method.style - torch.tensor([reading.style for reading in readings], dtype=method.style.dtype)
    return Headline(
        gain=spread(gains, level),
        content=spread(method.content, level),
        style=spread(method.style, level),
        place=readings[0].place,
        curve_ends=min(float(standing.content[0]) for standing in curve),
        as_good=tuple(name for name, other in baselines.items() if _as_good(other, method, level)),
    )


def spread(values: Float[Tensor, " draws"], level: float = 0.95) -> Interval:
    """The interval of a measurement from its resamples: `values[0]`, and how far the others lie around their mean."""
    value = float(values[0])
    return around(value, values[1:], level) if len(values) > 1 else Interval(value, value, value)


def _as_good(other: Standing, method: Standing, level: float) -> bool:
    """Whether the method is clearly better than another row on neither side."""
    lead_in_content = spread(method.content - other.content, level)
    lead_in_style = spread(method.style - other.style, level)
    return lead_in_content.low <= 0 and lead_in_style.low <= 0


def sentence(name: str, headline: Headline) -> str:
    """Say first which baselines are as good on both sides, if any, and whether the method is better than recoloring."""
    if headline.as_good:
        verb = "is" if len(headline.as_good) == 1 else "are"
        return (
            f"{_listed(headline.as_good)} {verb} as good as {name} on both sides, content and style, "
            f"so {name} is not better than recoloring."
        )
    return f"No baseline is as good as {name} on both sides, content and style, and {_verdict(name, headline)}."


def explanation(headline: Headline) -> str:
    """Say in one sentence how large the gain is and where it was read."""
    gain, content, style = headline.gain, headline.content, headline.style
    text = (
        f"It keeps {content.value:.2f} of the content and reaches {style.value:.2f} of the style, "
        f"{gain.value:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}] against recoloring at equal content"
    )
    if headline.place == "on the curve":
        return f"{text}."
    if headline.place == "above the curve":
        return f"{text}; that lies outside the recoloring curve, above its beginning, and is read there."
    return (
        f"{text}; that lies outside the recoloring curve, which ends at {headline.curve_ends:.2f} with full strength, "
        f"and is read on the straight line from it to copied pictures."
    )


def _verdict(name: str, headline: Headline) -> str:
    if headline.better:
        return f"{name} is better than recoloring"
    if headline.worse:
        return f"yet {name} is worse than recoloring at equal content"
    return f"yet {name} cannot be told from recoloring at equal content"


def _listed(names: Sequence[str]) -> str:
    """Names as a sentence begins with them: "A", "A and b", "A, b and c"."""
    *others, last = names
    text = f"{', '.join(others)} and {last}" if others else last
    return text[0].upper() + text[1:]
