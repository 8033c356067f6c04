"""An evaluation from beginning to end, of pictures and callables: nothing here knows of artifacts or folders."""

from collections.abc import Sequence

from ganstyle.metrics.assemble import Findings, assemble
from ganstyle.metrics.cache import Cache
from ganstyle.metrics.evidence import Evidence, Subject, gather
from ganstyle.metrics.examinations import Examination
from ganstyle.metrics.intervals import HALVES
from ganstyle.metrics.judge import Judge
from ganstyle.metrics.plane import Halves, measure, place
from ganstyle.metrics.results import Report
from ganstyle.metrics.sets import References, Sources


def evaluate(
    sources: Sources,
    references: References,
    subjects: Sequence[Subject],
    judge: Judge,
    *,
    cache: Cache,
    seed: int = 0,
    draws: int = HALVES,
    examinations: Sequence[Examination] = (),
) -> tuple[Report, Evidence] | None:
    """Judge one method, or two of which the second is the one compared with, beside every baseline.

    Args:
        sources: photographs to restyle.
        references: pictures in the style to reach.
        subjects: one method, or two.
        judge: what to judge by.
        cache: where statistics of the references are kept.
        seed: of baselines and resamples.
        draws: half samples for the intervals of set scores.
        examinations: further scores, of whole sets of pictures.

    Returns:
        What was found, and the pictures it was found on; None in any process but the first.

    Raises:
        DataError: a method is called like a baseline, or no score of a side can be used.
    """
    evidence = gather(sources, references, subjects, judge, cache=cache, seed=seed)
    if evidence is None:
        return None
    halves = Halves.of(len(sources), references.painting, seed=seed, draws=draws)
    measured = measure(evidence.described, evidence.references_described, judge.content, judge.style, halves)
    trained_with = sorted({score for subject in subjects for score in subject.trained_with})
    plane = place(measured.content, measured.style, trained_with)
    found = tuple(examine(evidence) for examine in examinations)
    return assemble(Findings(evidence, subjects, measured, plane, found, judge.style, seed)), evidence
