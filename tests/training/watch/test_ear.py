"""The ear hears what discriminators say, for every game, and changes nothing of it."""

import pytest
import torch
from methods.conftest import build
from training.bench import batch
from training.game import pix2pix

from ganstyle.losses.adversarial import GAMES
from ganstyle.training.watch.ear import Ear
from ganstyle.types import Judgement


def judgements(*values: float) -> tuple[Judgement, ...]:
    """One scale for each value."""
    return tuple(Judgement(torch.full((2, 1, 3, 3), value), ()) for value in values)


@pytest.mark.parametrize("name", GAMES)
def test_an_overheard_game_has_the_same_losses(name: str) -> None:
    method = pix2pix()
    method.game = GAMES[name]
    ear = Ear(method)
    ear.open()
    for side in ("real", "fake", "fool"):
        assert torch.equal(getattr(method.game, side)(judgements(0.3)), getattr(GAMES[name], side)(judgements(0.3)))


@pytest.mark.parametrize(("name", "boundary"), [("vanilla", 0.0), ("hinge", 0.0), ("lsgan", 0.5)])
def test_a_logit_beyond_the_boundary_is_right_and_a_guess_has_surprise_one(name: str, boundary: float) -> None:
    method = pix2pix()
    method.game = GAMES[name]
    ear = Ear(method)
    ear.open()
    method.game.real(judgements(boundary + 0.1, boundary - 0.1))
    method.game.fake(judgements(boundary - 0.1))
    heard = ear.close()
    assert heard["real"] == 0.5
    assert heard["fake"] == 1.0
    assert heard["logit/real"].item() == pytest.approx(boundary)
    ear.open()
    method.game.real(judgements(boundary))
    assert ear.close()["surprise"].item() == pytest.approx(1.0)


def test_a_critic_without_a_boundary_is_asked_for_its_mean_only() -> None:
    method = pix2pix()
    method.game = GAMES["wgan_gp"]
    ear = Ear(method)
    ear.open()
    method.game.real(judgements(3.0, 5.0))
    assert {name: value.item() for name, value in ear.close().items()} == {"logit/real": 4.0}


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "cut", "fastcut", "perceptual_gan"])
def test_the_discriminator_of_every_method_is_heard_and_only_while_it_is_listened_to(name: str) -> None:
    method = build(name)
    ear = Ear(method)
    data = batch()
    data["source"], data["target"] = (torch.rand(2, 3, 20, 24) * 2 - 1 for _ in range(2))
    outputs = method(data)
    players = {player.name: player for player in method.players}
    ear.open()
    players["generator"].losses(outputs)
    assert not ear.judged()
    players["discriminator"].losses(outputs)
    assert ear.judged()
    assert not ear.judged()
    assert set(ear.close()) == {"real", "fake", "surprise", "logit/real", "logit/fake"}
    players["discriminator"].losses(outputs)
    assert ear.close() == {}


def test_a_method_that_is_no_game_is_not_heard() -> None:
    method = pix2pix()
    del method.game
    ear = Ear(method)
    ear.open()
    assert ear.close() == {}
