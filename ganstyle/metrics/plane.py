"""Every row's place in the plane of content and style, measured on all pictures and on half samples.

All rows are measured on the same half samples, so that what they have in common cancels in their differences.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganstyle.errors import DataError
from ganstyle.metrics.headline import COPY, Standing, spread
from ganstyle.metrics.intervals import HALVES, half_samples
from ganstyle.metrics.style import StyleScore

IDENTITY = "identity"
Draws = Float[Tensor, " draws"]
"""A number measured on everything (the first entry) and on each half sample."""


@dataclass(frozen=True)
class Described:
    """The pictures of one row in numbers."""

    scores: Mapping[str, Float[Tensor, " images"]]
    """Scores of every picture against its photograph, or its truth."""
    descriptors: Mapping[str, Float[Tensor, "images _"]]
    """What each style score compares sets by."""


@dataclass(frozen=True)
class Halves:
    """The pictures that each half sample holds; the first holds them all."""

    images: tuple[Int[Tensor, " _"], ...]
    crops: tuple[Int[Tensor, " _"], ...]

    @classmethod
    def of(cls, images: int, painting: Int[Tensor, " crops"], *, seed: int, draws: int = HALVES) -> "Halves":
        """Draw half of the images, and the crops of half of the paintings, `draws` times."""
        halves = half_samples(images, painting, seed, draws)
        everything = (torch.arange(images), torch.arange(len(painting)))
        own, other = zip(everything, *halves, strict=True)
        return cls(own, other)

    def mean(self, values: Float[Tensor, " images"]) -> Draws:
        """Average a score of every image over each half sample."""
        return torch.stack([values.double()[half].mean() for half in self.images])

    def distances(self, score: StyleScore, row: Tensor, references: Tensor) -> Draws:
        """Measure a set distance on each half sample."""
        pairs = zip(self.images, self.crops, strict=True)
        return torch.tensor([score.distance(row[own], references[other]) for own, other in pairs], dtype=torch.float64)


@dataclass(frozen=True)
class Measures:
    """Draws of every score: score -> row -> draws."""

    content: Mapping[str, Mapping[str, Draws]]
    style: Mapping[str, Mapping[str, Draws]]


def measure(
    rows: Mapping[str, Described],
    references: Mapping[str, Tensor],
    content: Iterable[str],
    style: Iterable[StyleScore],
    halves: Halves,
) -> Measures:
    """Measure every row on everything and on each half sample.

    Args:
        rows: what every row's pictures are in numbers.
        references: descriptors of the references by style score.
        content: names of the scores of the content side.
        style: the scores of the style side.
        halves: which pictures each half sample holds.
    """
    means = {name: {row: halves.mean(of.scores[name]) for row, of in rows.items()} for name in content}
    distances = {
        score.name: {
            row: halves.distances(score, of.descriptors[score.name], references[score.name]) for row, of in rows.items()
        }
        for score in style
    }
    return Measures(means, distances)


@dataclass(frozen=True)
class Plane:
    """Where every row stands, and by which scores."""

    standings: Mapping[str, Standing]
    content: tuple[str, ...]
    """The scores that content kept is the mean of."""
    style: tuple[str, ...]
    """The scores that style reached is the mean of."""


def place(
    content: Mapping[str, Mapping[str, Draws]], style: Mapping[str, Mapping[str, Draws]], left_out: Sequence[str] = ()
) -> Plane:
    """Place every row between identity and style-copy.

    Each score is brought to the scale on which these two are 1 and 0 (content) or 0 and 1 (style), and the scores of a
    side are averaged. A score that does not clearly tell the two apart on this data is left out.

    Args:
        content: draws of each score of the content side by row.
        style: draws of each distance of the style side by row.
        left_out: scores that take no part, because a model was trained with them.

    Raises:
        DataError: no score of a side is left.
    """
    used_content = _telling("content", content, left_out)
    used_style = _telling("style", style, left_out)
    rows = next(iter(content.values())).keys()
    lost = {row: _mean([_share(content[name], row) for name in used_content]) for row in rows}
    reached = {row: _mean([_share(style[name], row) for name in used_style]) for row in rows}
    return Plane({row: Standing(1 - lost[row], reached[row]) for row in rows}, used_content, used_style)


def _telling(side: str, scores: Mapping[str, Mapping[str, Draws]], left_out: Sequence[str]) -> tuple[str, ...]:
    """Name the scores that take part: not left out, and clearly different for photographs and paintings."""
    found = tuple(name for name, rows in scores.items() if name not in left_out and _differ(rows[IDENTITY], rows[COPY]))
    if not found:
        raise DataError(
            f"no score of the {side} side is left to judge by, of {', '.join(scores) or 'none'}: those that the model "
            f"was not trained with cannot tell the photographs from the references; give other --features, or more "
            f"pictures."
        )
    return found


def _differ(one: Draws, other: Draws) -> bool:
    gap = spread(one - other)
    return gap.low > 0 or gap.high < 0


def _share(rows: Mapping[str, Draws], row: str) -> Draws:
    """How far a row is from identity on the way to style-copy: 0 at the start, 1 at the end.

    The length of the way is the measured one for all half samples: what a row has covered is in question, not the unit.
    """
    return (rows[row] - rows[IDENTITY]) / (rows[COPY][0] - rows[IDENTITY][0])


def _mean(shares: Sequence[Draws]) -> Draws:
    return torch.stack(list(shares)).mean(dim=0)
