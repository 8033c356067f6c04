import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.judge import Finding, judged
from benchmarks.relations import HEADLINES, RELATIONS, Relation
from ganstyle.metrics.intervals import Interval
from ganstyle.metrics.scores import SCORES

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "judge.json"

SIDES = {
    "content": ("edge_correlation", "dog_ssim", "self_similarity"),
    "style": ("gram", "patches", "gabor", "color"),
}
UNMET = ("half-blend loses style against mkl", "gabor")
"""Not met, and not for want of pictures: full recoloring overshoots the collection's yellow-blue energy on toy scenes
(0.48 for 0.37 at the second octave, root mean square), half of it comes nearer (0.33)."""
OVERSHOT = pytest.mark.xfail(reason="full recoloring overshoots the collection's yellow-blue energy", strict=True)
CASES = [
    pytest.param(
        relation, score, marks=OVERSHOT if (str(relation), score) == UNMET else (), id=f"{relation} by {score}"
    )
    for relation in RELATIONS
    for score in SIDES[relation.side]
]


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text())
    return found


def test_a_lead_counts_only_when_it_is_clear_of_zero_on_the_right_side() -> None:
    loses, gains = RELATIONS[0], next(relation for relation in RELATIONS if relation.verb == "gains")
    assert Finding(loses, "edge_correlation", Interval(-0.2, -0.3, -0.1)).holds
    assert not Finding(loses, "edge_correlation", Interval(-0.2, -0.5, 0.1)).holds
    assert Finding(gains, "gram", Interval(0.2, 0.1, 0.3)).holds
    assert not Finding(gains, "gram", Interval(-0.2, -0.3, -0.1)).holds


def test_the_committed_results_cover_the_table_by_every_score(results: dict[str, Any]) -> None:
    assert {score for scores in SIDES.values() for score in scores} <= SCORES.keys()
    assert results["relations"].keys() == {str(relation) for relation in RELATIONS}
    for relation in RELATIONS:
        assert tuple(results["relations"][str(relation)]) == SIDES[relation.side]
    assert results["headlines"].keys() == HEADLINES.keys()


@pytest.mark.parametrize(("relation", "score"), CASES)
def test_the_committed_interval_is_clear_of_zero(relation: Relation, score: str, results: dict[str, Any]) -> None:
    found = Interval(*results["relations"][str(relation)][score])
    assert Finding(relation, score, found).holds


def test_the_committed_headlines_go_to_the_painter_alone(results: dict[str, Any]) -> None:
    assert [row for row, found in results["headlines"].items() if found["better"]] == ["truth"]
    assert {row: row == "truth" for row in HEADLINES} == HEADLINES


def test_the_guide_tells_the_counts_and_what_does_not_hold(results: dict[str, Any]) -> None:
    guide = (RESULTS.parents[2] / "docs" / "guides" / "evaluate.md").read_text(encoding="utf-8")
    found = [
        (relation, score, Interval(*values))
        for relation in RELATIONS
        for score, values in results["relations"][str(relation)].items()
    ]
    held = [Finding(relation, score, lead).holds for relation, score, lead in found]
    assert f"{sum(held)} of {len(held)} have 99 % intervals clear of zero" in " ".join(guide.split())
    assert f"{len(RELATIONS)} relations" in guide
    assert f"all {len(results['headlines'])} verdicts are right" in guide
    for relation, score, lead in found:
        if not Finding(relation, score, lead).holds:
            assert (str(relation), score) == UNMET
            assert f"`{relation}`" in guide
            assert f"({lead.value:+.2f} [{lead.low:+.2f}, {lead.high:+.2f}])" in guide


@pytest.mark.slow
def test_every_other_relation_and_every_headline_holds_on_fewer_scenes() -> None:
    broken = judged(scenes=40, draws=100, seed=1).broken
    unmet = f"{UNMET[0]} by {UNMET[1]}: "
    assert [line for line in broken if not line.startswith(unmet)] == []
