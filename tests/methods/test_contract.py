"""What every method promises, tried on every method in several settings."""

from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganstyle.methods.base import Method, Player
from ganstyle.types import Batch

ABOUT_THE_GAME = {"adversarial", "feature_matching"}
"""The generator's terms that look through the discriminator."""


def terms_of(player: Player, outputs: Any) -> Mapping[str, Callable[[], Tensor]]:
    """Every term and penalty of a player, to be computed one at a time."""
    terms = {term: (lambda term=term: player.losses(outputs)[term]) for term in player.terms}
    penalties = {name: (lambda penalty=penalty: penalty(outputs)) for name, penalty in player.penalties.items()}
    return terms | penalties


def moves(loss: Tensor, network: nn.Module) -> bool:
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if not parameters:
        return False
    gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    return any(gradient is not None and bool(gradient.any()) for gradient in gradients)


def values(method: Method[Any], batch: Batch, *, penalties: bool = True) -> dict[str, Tensor]:
    """Every term and penalty by `player/name`."""
    outputs = method(batch)
    found = {f"{p.name}/{name}": term for p in method.players for name, term in p.losses(outputs).items()}
    if penalties:
        found |= {f"{p.name}/{name}": term(outputs) for p in method.players for name, term in p.penalties.items()}
    return {name: term.detach() for name, term in found.items()}


def images(outputs: Any) -> dict[str, Tensor]:
    named = {field.name: getattr(outputs, field.name) for field in fields(outputs)}
    return {name: value for name, value in named.items() if isinstance(value, Tensor) and value.ndim == 4}


def part(batch: Batch, chosen: slice) -> Batch:
    return {"source": batch["source"][chosen], "target": batch["target"][chosen], "seed": batch["seed"][chosen]}


def in_float64(batch: Batch) -> Batch:
    return {"source": batch["source"].double(), "target": batch["target"].double(), "seed": batch["seed"]}


def test_the_players_are_a_generator_and_a_discriminator(method: Method[Any], variant: str) -> None:
    alone = variant in ("distill", "distill by pictures alone")
    assert sorted(player.name for player in method.players) == ["discriminator", "generator"][alone:]


def test_a_player_computes_the_terms_that_it_declares(method: Method[Any], batch: Batch) -> None:
    outputs = method(batch)
    for player in method.players:
        losses = player.losses(outputs)
        assert list(losses) == list(player.terms)
        assert not set(player.penalties) & set(losses)
        assert all(loss.shape == () and loss.isfinite() for loss in losses.values())
        assert all(penalty(outputs).shape == () for penalty in player.penalties.values())


def test_every_loss_moves_its_own_player(method: Method[Any], batch: Batch) -> None:
    outputs = method(batch)
    for player in method.players:
        for name, loss in terms_of(player, outputs).items():
            assert moves(loss(), player.network), f"{player.name} ignores {name}"


def test_a_loss_moves_the_other_player_only_where_it_looks_through_it(method: Method[Any], batch: Batch) -> None:
    outputs = method(batch)
    for player in method.players:
        others = nn.ModuleList(other.network for other in method.players if other.name != player.name)
        for name, loss in terms_of(player, outputs).items():
            assert moves(loss(), others) == (name in ABOUT_THE_GAME), f"{player.name}'s {name}"


def test_every_trained_parameter_belongs_to_exactly_one_player(method: Method[Any]) -> None:
    moved = [id(parameter) for player in method.players for parameter in player.network.parameters()]
    assert len(moved) == len(set(moved))
    assert set(moved) == {id(parameter) for parameter in method.parameters() if parameter.requires_grad}


def test_a_player_is_the_same_network_each_time_it_is_asked(method: Method[Any]) -> None:
    for one, other in zip(method.players, method.players, strict=True):
        assert one.network is other.network


def test_outputs_are_frozen_and_their_images_are_images(method: Method[Any], batch: Batch) -> None:
    outputs = method(batch)
    assert is_dataclass(outputs)
    with pytest.raises(FrozenInstanceError):
        outputs.source = batch["source"]
    for image in images(outputs).values():
        assert image.shape == batch["source"].shape
        assert image.abs().max() <= 1


def test_the_generators_are_moved_by_the_generator_player_and_turn_images_into_images(
    method: Method[Any], batch: Batch
) -> None:
    moved = next(set(player.network.modules()) for player in method.players if player.name == "generator")
    assert method.generators
    for generator in method.generators.values():
        assert generator in moved
        assert generator(batch["source"]).shape == batch["source"].shape


def test_a_pool_replaces_constant_images_that_the_generator_s_losses_do_not_use(
    method: Method[Any], batch: Batch
) -> None:
    outputs = method(batch)
    player = next(player for player in method.players if player.name == "generator")
    for field in method.pools:
        shown = images(outputs)[field]
        assert not shown.requires_grad
        older = replace(outputs, **{field: shown.flip(0)})
        assert player.losses(older) == player.losses(outputs)


def test_validation_needs_no_gradients(method: Method[Any], batch: Batch) -> None:
    method.eval()
    with torch.no_grad():
        seen = values(method, batch, penalties=False)
    assert all(loss.isfinite() and not loss.requires_grad for loss in seen.values())


def test_looking_changes_nothing(method: Method[Any], batch: Batch) -> None:
    before = {name: value.clone() for name, value in method.state_dict().items()}
    values(method, batch)
    after = method.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_everything_works_in_float64(method: Method[Any], batch: Batch) -> None:
    seen = values(method.double(), in_float64(batch))
    assert {loss.dtype for loss in seen.values()} == {torch.float64}


def test_losses_are_in_float32_under_autocast(method: Method[Any], batch: Batch) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        seen = values(method, batch)
    assert {loss.dtype for loss in seen.values()} == {torch.float32}
    assert all(loss.isfinite() for loss in seen.values())


def test_losses_follow_from_the_batch_alone(method: Method[Any], batch: Batch) -> None:
    first = values(method, batch)
    torch.manual_seed(99)
    assert values(method, batch) == first


def test_two_half_batches_average_to_the_whole(method: Method[Any], variant: str, batch: Batch) -> None:
    method, batch = method.double(), in_float64(batch)
    whole, one, other = (values(method, part(batch, chosen)) for chosen in (slice(None), slice(0, 1), slice(1, 2)))
    styles = {"generator/style", "generator/style_moments", "generator/style_bands"}
    out_of_the_batch = styles if getattr(method, "style_target", "each") != "each" else set()
    for name, loss in whole.items():
        if name in out_of_the_batch:
            continue
        torch.testing.assert_close((one[name] + other[name]) / 2, loss, rtol=1e-9, atol=1e-12, msg=f"{variant}: {name}")


def test_a_recipe_weighs_exactly_the_terms_of_its_method(
    name: str, tiny: Callable[..., Method[Any]], written: Callable[[str], dict[str, Any]]
) -> None:
    weights = written(name)["weights"]
    assert {player.name: set(player.terms) for player in tiny(name).players} == {
        player: set(terms) for player, terms in weights.items()
    }


PAPERS = {  # (weights of the discriminator, weights of the generator) as printed
    "pix2pix": ({"real": 0.5, "fake": 0.5}, {"adversarial": 1, "l1": 100}),
    "cyclegan": ({"real": 0.5, "fake": 0.5}, {"adversarial": 1, "cycle": 10, "identity": 5}),
    "cut": ({"real": 0.5, "fake": 0.5}, {"adversarial": 1, "nce": 1, "nce_identity": 1}),
    "fastcut": ({"real": 0.5, "fake": 0.5}, {"adversarial": 1, "nce": 10}),
}


@pytest.mark.parametrize("paper", PAPERS)
def test_a_recipe_has_the_paper_s_weights(paper: str, written: Callable[[str], dict[str, Any]]) -> None:
    discriminator, generator = PAPERS[paper]
    assert written(paper)["weights"] == {"discriminator": discriminator, "generator": generator}


def test_the_generator_may_move_more_seldom(name: str, tiny: Callable[..., Method[Any]]) -> None:
    turns = {player.name: player.every for player in tiny(name, n_critic=5).players}
    assert turns == {"generator": 5, "discriminator": 1}
