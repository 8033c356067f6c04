"""Every name is given to what it means, after it has lasted, and to nothing else."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganstyle.errors import ConfigError
from ganstyle.training.watch.evidence import Evidence
from ganstyle.training.watch.limits import Limits
from ganstyle.training.watch.verdicts import ADVICE, NAMES, judged, overfitting

LIMITS = Limits(
    patience=2,
    warm_up=1,
    sure=0.1,
    right=0.9,
    fooled=1.5,
    spread=0.1,
    change=0.1,
    contrast=0.1,
    exploding=50.0,
    steep=1000.0,
    vanishing=1e-6,
    nearness=0.5,
    overfitting=0.7,
    attentive=0.6,
    distinct=0.2,
)
WELL = Evidence(
    images_seen=100,
    losses={"generator/l1": 0.1},
    gradients={"generator": 1.0, "discriminator": 1.0},
    steepest={"generator": 2.0, "discriminator": 2.0},
    weights={"generator": 10.0, "discriminator": 10.0},
    real=0.7,
    fake=0.7,
    surprise=0.8,
    logits={"real": 1.0, "fake": -1.0, "held_out": 0.8},
    contrast=0.9,
    low=-0.9,
    high=0.9,
    change=0.8,
    rank=0.9,
    spread=0.9,
    distinct=1.0,
    nearness=1.0,
)
NOTHING = Evidence(images_seen=100, losses={}, gradients={}, steepest={}, weights={})
"""Of a method that is no game and makes no pictures."""
ILL: dict[str, dict[str, Any]] = {
    "discriminator-won": {"surprise": 0.01, "real": 1.0, "fake": 0.99},
    "generator-won": {"surprise": 2.0, "real": 0.1, "fake": 0.2},
    "mode-collapse": {"spread": 0.01},
    "identity-collapse": {"change": 0.01},
    "constant-output": {"contrast": 0.0},
    "exploding-gradients": {"steepest": {"generator": 51.0, "discriminator": 2.0}},
    "vanishing-gradients": {
        "gradients": {"generator": 1e-6, "discriminator": 1.0},
        "steepest": {"generator": 2e-6, "discriminator": 2.0},
    },
    "non-finite": {"losses": {"generator/l1": float("nan")}},
    "memorising": {"nearness": 0.1},
    "data-starved": {"distinct": 0.1},
}


def names(*history: Evidence) -> list[str]:
    return [verdict.name for verdict in judged(history, LIMITS)]


def test_there_is_an_example_and_advice_of_one_sentence_for_every_name() -> None:
    assert set(ILL) == set(NAMES) == set(ADVICE)
    assert all(advice.endswith(".") and ". " not in advice for advice in ADVICE.values())


@pytest.mark.parametrize("name", NAMES)
def test_what_is_ill_for_long_is_named_so_and_nothing_else(name: str) -> None:
    ill = replace(WELL, **ILL[name])
    assert names(WELL, ill, ill) == [name]


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"non-finite", "exploding-gradients"}))
def test_what_lasts_shorter_than_the_patience_or_comes_in_the_warm_up_is_not_named(name: str) -> None:
    ill = replace(WELL, **ILL[name])
    assert names(WELL, WELL, ill) == names(ill, ill) == names(WELL, ill, WELL) == []


@pytest.mark.parametrize("name", ["non-finite", "exploding-gradients"])
def test_what_cannot_wait_is_named_at_once(name: str) -> None:
    assert names(WELL, replace(WELL, **ILL[name])) == [name]


@given(looks=st.integers(1, 8))
def test_a_run_that_is_well_or_that_shows_nothing_has_no_verdict(looks: int) -> None:
    assert names(*[WELL] * looks) == names(*[NOTHING] * looks) == []


@given(spread=st.floats(0, 2), limit=st.floats(0, 2))
def test_a_verdict_shows_the_value_and_the_threshold_that_it_was_compared_with(spread: float, limit: float) -> None:
    found = judged([replace(WELL, spread=spread)] * 3, replace(LIMITS, spread=limit))
    assert [(v.values, v.thresholds) for v in found] == [({"spread": spread}, {"spread": limit})] * (spread < limit)


def test_a_gradient_many_times_as_large_as_the_weights_explodes_from_the_first_look() -> None:
    assert names(replace(WELL, steepest={"generator": 10_001.0, "discriminator": 1.0})) == ["exploding-gradients"]


def test_a_discriminator_that_takes_held_out_targets_for_generated_is_starved_of_data() -> None:
    knowing = replace(WELL, surprise=0.4, logits={"real": 2.0, "fake": -2.0, "held_out": -1.0})
    assert overfitting([knowing]) == pytest.approx(0.75)
    assert names(*[knowing] * 3) == ["data-starved"]
    assert names(*[replace(knowing, surprise=0.9)] * 3) == []  # it cannot tell anything yet


def test_overfitting_is_of_the_mean_logits_so_that_one_odd_look_does_not_decide() -> None:
    odd = replace(WELL, logits={"real": 0.01, "fake": 0.0, "held_out": -1.0})
    assert overfitting([odd]) == pytest.approx(101.0)
    assert overfitting([WELL] * 9 + [odd]) == pytest.approx((9.01 - 6.2) / 18.01)
    assert overfitting([NOTHING]) is None
    assert overfitting([replace(WELL, logits={"real": 0.0, "fake": 1.0, "held_out": 0.0})]) is None


@pytest.mark.parametrize(("name", "value"), [("patience", 0), ("spread", -1.0)])
def test_a_limit_that_is_none_is_refused_by_its_key(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"callbacks\.health\.limits\.{name} must be"):
        Limits(**{**LIMITS.__dict__, name: value})
