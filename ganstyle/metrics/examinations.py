"""Scores of whole sets beside the plane: each examination looks at all rows, and says what it cannot tell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from ganstyle.metrics.absent import Absent
from ganstyle.metrics.artfid import NAME as ARTFID
from ganstyle.metrics.artfid import ArtNetworks, artfid
from ganstyle.metrics.artfid import Pictures as ArtPictures
from ganstyle.metrics.deception import NAME as DECEPTION
from ganstyle.metrics.deception import QUALITIES, Collection, deception
from ganstyle.metrics.distribution import distribution_scores
from ganstyle.metrics.evidence import BASELINES, CURVE, FULL, Evidence
from ganstyle.metrics.features import FeatureNetwork
from ganstyle.metrics.intervals import Interval


@dataclass(frozen=True)
class Found:
    """What one examination adds to the tables."""

    scores: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    """Score -> row -> number."""
    notes: tuple[str, ...] = ()


Examination: TypeAlias = Callable[[Evidence], Found]
BETWEEN = frozenset(CURVE) - frozenset(BASELINES)
"""Rows that only draw the recoloring curve, and are not examined."""


def deceived(network: FeatureNetwork, *, seed: int) -> Examination:
    """Ask a classifier, trained on the spot, which pictures it takes for the collection's."""
    return partial(_deceived, network, seed)


def _deceived(network: FeatureNetwork, seed: int, evidence: Evidence) -> Found:
    references = evidence.references
    collection = Collection(references.crops, references.painting, references.qualities or QUALITIES)
    rows = {row: pictures for row, pictures in evidence.pictures.items() if row not in BETWEEN}
    photographs, recolored = evidence.sources.pictures, evidence.pictures[FULL]
    found = deception(photographs, recolored, collection, rows, network, seed=seed)
    return Found(notes=(str(found),)) if isinstance(found, Absent) else Found({DECEPTION: found.rates}, (str(found),))


def art(networks: ArtNetworks | None, *, seed: int) -> Examination:
    """Compute ArtFID on its own networks, or say that they were not given."""
    return partial(_art, networks, seed)


def _art(networks: ArtNetworks | None, seed: int, evidence: Evidence) -> Found:
    photographs, references = evidence.sources.pictures, evidence.references
    rows = {row: pictures for row, pictures in evidence.pictures.items() if row not in BETWEEN}
    compared = {row: ArtPictures(own, photographs, references.crops, references.painting) for row, own in rows.items()}
    return _by_score({row: {ARTFID: artfid(pictures, networks, seed=seed)} for row, pictures in compared.items()})


def distribution(network: str, *, seed: int) -> Examination:
    """Compare sets by the feature vectors that a judge took under this name."""
    return partial(_distribution, network, seed)


def _distribution(network: str, seed: int, evidence: Evidence) -> Found:
    references = evidence.references_described[network]
    painting = evidence.references.painting
    return _by_score(
        {
            row: distribution_scores(described.descriptors[network], references, painting, network, seed=seed)
            for row, described in evidence.described.items()
            if row not in BETWEEN
        }
    )


def _by_score(rows: Mapping[str, Mapping[str, Interval | Absent]]) -> Found:
    """Turn rows of scores into scores of rows, and say once what is absent."""
    scores: dict[str, dict[str, Interval]] = {}
    notes: dict[str, None] = {}
    for row, found in rows.items():
        for name, value in found.items():
            if isinstance(value, Absent):
                notes[str(value)] = None
            else:
                scores.setdefault(name, {})[row] = value
    return Found(scores, tuple(notes))
