"""The rows of an evaluation: made, chunk by chunk, and put into numbers.

Several processes share the sources out in whole chunks; the first of them receives everything, so that their number
changes no number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ganstyle.draws import generator_of
from ganstyle.errors import DataError
from ganstyle.metrics.cache import Cache
from ganstyle.metrics.headline import COPY
from ganstyle.metrics.judge import Describe, Judge, joined
from ganstyle.metrics.plane import IDENTITY, Described
from ganstyle.metrics.protocol import Protocol
from ganstyle.metrics.recolor import mkl
from ganstyle.metrics.sets import Bytes, References, Sources, as_bytes, as_images
from ganstyle.metrics.shards import CHUNK, chunks, mine, together
from ganstyle.types import Image

FULL, HALF = "mkl", "half-blend"
CURVE = {IDENTITY: 0.0, "mkl 0.25": 0.25, HALF: 0.5, "mkl 0.75": 0.75, FULL: 1.0}
"""Rows of recoloring by growing strength."""
BASELINES = (IDENTITY, HALF, FULL, COPY)


@dataclass(frozen=True)
class Subject:
    """A method that is judged."""

    name: str
    restyle: Callable[[Image, int], Image]
    """Restyles one photograph, given with its number among the sources, or looks its result up."""
    protocol: Protocol
    trained_with: frozenset[str] = frozenset()
    """Scores that it was trained to do well in."""
    akin: frozenset[str] = frozenset()
    """Scores that it was trained to do well in through a pupil, or the teacher, of the network that judges."""


@dataclass(frozen=True)
class Evidence:
    """Every row's pictures, and what they are in numbers."""

    sources: Sources
    references: References
    described: Mapping[str, Described]
    pictures: Mapping[str, Bytes]
    references_described: Mapping[str, Tensor]
    """The references in numbers, as `Described.descriptors` has the rows."""


@dataclass(frozen=True)
class Part:
    """The same of one chunk of the sources."""

    described: Mapping[str, Described]
    pictures: Mapping[str, Bytes]


def gather(
    sources: Sources, references: References, subjects: Sequence[Subject], judge: Judge, *, cache: Cache, seed: int
) -> Evidence | None:
    """Make and describe every row; None in any process but the first.

    Raises DataError when two rows would have one name.
    """
    _require_names([subject.name for subject in subjects])
    share = mine(chunks(len(sources)))
    recolored = _recolored(sources, references, [number for chunk in share for number in chunk])
    parts = together([_part(sources, references, subjects, judge, seed, recolored, chunk) for chunk in share])
    if parts is None:
        return None
    rows = parts[0].described.keys()
    return Evidence(
        sources,
        references,
        {row: joined([part.described[row] for part in parts]) for row in rows},
        {row: torch.cat([part.pictures[row] for part in parts]) for row in rows},
        described_references(references, judge, cache=cache, seed=seed),
    )


def described_references(references: References, judge: Judge, *, cache: Cache, seed: int) -> dict[str, Tensor]:
    """Describe the references in every way, or remember what was described before."""
    found: dict[str, Tensor] = {}

    def described(name: str) -> Tensor:
        if not found:
            found.update(_described(references, judge.describers))
        return found[name]

    with torch.inference_mode():
        return {
            name: cache.remember(partial(described, name), name, references.sha256, judge.features_sha256, seed)
            for name in judge.describers
        }


def _described(references: References, describers: Mapping[str, Describe]) -> dict[str, Tensor]:
    """Describe a chunk of windows in every way before the next, so that features are taken once."""
    chunks_of_crops = map(as_images, torch.split(references.crops, CHUNK))
    parts = [{name: describe(crops) for name, describe in describers.items()} for crops in chunks_of_crops]
    return {name: torch.cat([part[name] for part in parts]) for name in describers}


def _recolored(sources: Sources, references: References, numbers: Sequence[int]) -> dict[int, Image]:
    """Recolor some photographs fully, by their number."""
    images = mkl(as_images(sources.pictures[list(numbers)]), as_images(references.crops))
    return dict(zip(numbers, torch.split(images, 1), strict=True))


def _part(
    sources: Sources,
    references: References,
    subjects: Sequence[Subject],
    judge: Judge,
    seed: int,
    recolored: Mapping[int, Image],
    chunk: range,
) -> Part:
    """Make and describe the rows of one chunk."""
    photographs = as_images(sources.pictures[list(chunk)])
    truth = None if sources.truth is None else as_images(sources.truth[list(chunk)])
    full = torch.cat([recolored[number] for number in chunk])
    copied = references.crops[_copied(len(references.crops), seed, chunk)]
    rows = {subject.name: _restyled(subject, photographs, chunk) for subject in subjects}
    rows |= {name: as_bytes(torch.lerp(photographs, full, strength)) for name, strength in CURVE.items()}
    rows[COPY] = copied
    described = {name: judge.describe(photographs, as_images(pictures), truth) for name, pictures in rows.items()}
    return Part(described, rows)


def _restyled(subject: Subject, photographs: Image, chunk: range) -> Bytes:
    """Restyle one photograph at a time, as batch statistics and seeded noise want it."""
    return torch.cat([as_bytes(subject.restyle(image[None], n)) for n, image in zip(chunk, photographs, strict=True)])


def _copied(crops: int, seed: int, chunk: range) -> list[int]:
    """Draw a window of the references for each source, whatever the others get."""
    return [int(torch.randint(crops, (), generator=generator_of(COPY, seed, number))) for number in chunk]


def _require_names(names: Sequence[str]) -> None:
    taken = {*CURVE, COPY}
    for name in names:
        if name in taken:
            raise DataError(
                f"a model cannot be called {name!r} here, since a row beside it is; give it another name by --name, "
                f"or rename the folder that --against names."
            )
        taken.add(name)
