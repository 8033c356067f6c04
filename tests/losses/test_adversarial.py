import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganstyle.errors import ConfigError
from ganstyle.losses.adversarial import GAMES, Game, game
from ganstyle.types import Judgement

GAME = st.sampled_from(list(GAMES.values()))
LOGITS = st.lists(st.lists(st.floats(-30, 30), min_size=1, max_size=6), min_size=1, max_size=3)


def judgements(*scales: list[float]) -> tuple[Judgement, ...]:
    return tuple(Judgement(torch.tensor(scale, dtype=torch.float64).view(1, 1, 1, -1), ()) for scale in scales)


def softplus(x: float) -> float:
    return max(x, 0) + math.log1p(math.exp(-abs(x)))


NAIVE = {  # name -> (real, fake, fool) of one logit, as the papers have them
    "vanilla": (lambda x: softplus(-x), softplus, lambda x: softplus(-x)),
    "lsgan": (lambda x: (x - 1) ** 2, lambda x: x**2, lambda x: (x - 1) ** 2),
    "hinge": (lambda x: max(0.0, 1 - x), lambda x: max(0.0, 1 + x), lambda x: -x),
    "wgan_gp": (lambda x: -x, lambda x: x, lambda x: -x),
}


def test_there_are_the_four_games_of_the_field() -> None:
    assert set(GAMES) == set(NAIVE)
    assert [game(name).penalty for name in NAIVE] == [None, None, None, "gradient_penalty"]


@pytest.mark.parametrize("name", NAIVE)
@given(scales=LOGITS)
def test_a_game_is_the_mean_over_scales_of_the_mean_over_patches(name: str, scales: list[list[float]]) -> None:
    parts = (game(name).real, game(name).fake, game(name).fool)
    for part, naive in zip(parts, NAIVE[name], strict=True):
        expected = sum(sum(map(naive, scale)) / len(scale) for scale in scales) / len(scales)
        assert part(judgements(*scales)).item() == pytest.approx(expected, abs=1e-9)


@given(name=st.sampled_from(list(NAIVE)), better=st.floats(-0.9, 0.9), by=st.floats(0.01, 0.05))
def test_a_more_convincing_fake_pleases_the_generator_and_costs_the_discriminator(
    name: str, better: float, by: float
) -> None:
    before, after = judgements([better]), judgements([better + by])
    assert game(name).fool(after) < game(name).fool(before)
    assert game(name).real(after) < game(name).real(before)
    if name != "lsgan" or better > 0:  # least squares pull fakes to 0 from both sides
        assert game(name).fake(after) > game(name).fake(before)


@given(one=GAME, logits=st.lists(st.floats(-5, 5), min_size=2, max_size=6))
def test_halves_of_a_batch_average_to_the_whole(one: Game, logits: list[float]) -> None:
    logits = logits[: len(logits) // 2 * 2]
    half = len(logits) // 2
    for part in (one.real, one.fake, one.fool):
        halves = (part(judgements(logits[:half])) + part(judgements(logits[half:]))) / 2
        torch.testing.assert_close(part(judgements(logits)), halves)


def test_an_undecided_discriminator_of_cross_entropy_loses_ln_2() -> None:
    for part in (game("vanilla").real, game("vanilla").fake, game("vanilla").fool):
        assert part(judgements([0.0])).item() == pytest.approx(0.6931471805599453)


def test_examples_by_hand() -> None:
    two_scales = judgements([2.0, 0.0], [-1.0])
    # lsgan, real: ((2-1)^2 + (0-1)^2) / 2 = 1 and (-1-1)^2 = 4
    assert game("lsgan").real(two_scales) == 2.5
    # hinge, real: (0 + 1) / 2 and 2; fake: (3 + 1) / 2 and 0; fool: -1 and 1
    assert [part(two_scales) for part in (game("hinge").real, game("hinge").fake, game("hinge").fool)] == [1.25, 1, 0]
    assert game("wgan_gp").fake(two_scales) == 0


def test_a_confident_generator_of_cross_entropy_still_has_a_gradient() -> None:
    logits = torch.full((1, 1, 1, 1), -40.0, requires_grad=True)
    game("vanilla").fool((Judgement(logits, ()),)).backward()
    assert isinstance(logits.grad, Tensor)
    assert logits.grad.item() == pytest.approx(-1)


def test_an_unknown_game_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"unknown adversarial game 'lsgam'; did you mean 'lsgan'\?"):
        game("lsgam")
