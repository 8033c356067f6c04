"""The objective as the YAML states it: one number for each term of each player."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from ganstyle.errors import ConfigError, unknown
from ganstyle.methods.base import Player
from ganstyle.types import Losses
from ganstyle.values import number, whole


def checked_weights(
    players: Sequence[Player], given: Mapping[str, Mapping[str, object]]
) -> dict[str, dict[str, float]]:
    """Return the weights as numbers, refusing a weight without a term and a term without a weight.

    Raises:
        ConfigError: the names differ, or a weight is no number; the message shows both lists, or the value.
    """
    check_players("system.weights", players, given)
    return {player.name: _checked(player, given[player.name]) for player in players}


def _checked(player: Player, given: Mapping[str, object]) -> dict[str, float]:
    terms = sorted({*player.terms, *player.penalties})
    if sorted(given) != terms:
        raise ConfigError(
            f"the weights {sorted(given)} do not match the losses {terms}; "
            f"give system.weights.{player.name} one number for each."
        )
    return {term: number(f"system.weights.{player.name}.{term}", weight) for term, weight in given.items()}


def check_players(key: str, players: Sequence[Player], given: object) -> None:
    """Refuse names under `key` that are not exactly the players'."""
    names = [player.name for player in players]
    if not isinstance(given, Mapping):
        raise ConfigError(f"{key} has an entry for each of {names}, but got {given!r}.")
    for name in given:
        if name not in names:
            raise ConfigError(unknown(f"player in {key}:", name, names))
    for name in names:
        if name not in given:
            raise ConfigError(f"{key} says nothing about the player {name!r}; give it one entry for each of {names}.")


def check_networks(generators: Mapping[str, object]) -> None:
    """Refuse a generator that is not a network, such as a number typed where a node of the configuration stood."""
    for name, generator in generators.items():
        if not isinstance(generator, nn.Module):
            raise ConfigError(f"the {name} is no network but {generator!r}; choose one, such as generator=light.")


def check_lazy(players: Sequence[Player], lazy: Mapping[str, int]) -> None:
    """Refuse an interval for something that is not a penalty, or that is not a whole number from 1."""
    penalties = [name for player in players for name in player.penalties]
    for name, every in lazy.items():
        if name not in penalties:
            raise ConfigError(f"system.lazy names {name!r}, but the penalties of this method are {penalties}.")
        whole(f"system.lazy.{name}", every, least=1)


def weighted_sum(losses: Losses, weights: Mapping[str, float]) -> Tensor:
    """Add the terms up, each times its weight: the only place where weights are applied."""
    total = sum(weights[name] * loss for name, loss in losses.items())
    assert isinstance(total, Tensor)
    return total
