"""The objective as the YAML states it: one number for each term of each player."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from ganstyle.errors import ConfigError, unknown
from ganstyle.methods.base import Player
from ganstyle.types import Losses


def check_weights(players: Sequence[Player], weights: Mapping[str, Mapping[str, float]]) -> None:
    """Refuse a weight without a term and a term without a weight.

    Raises:
        ConfigError: the names differ; the message shows both lists.
    """
    check_players("system.weights", players, weights)
    for player in players:
        terms = sorted({*player.terms, *player.penalties})
        given = sorted(weights[player.name])
        if given != terms:
            raise ConfigError(
                f"the weights {given} do not match the losses {terms}; "
                f"give system.weights.{player.name} one number for each."
            )
        for term, weight in weights[player.name].items():
            if isinstance(weight, bool) or not isinstance(weight, int | float):
                raise ConfigError(f"system.weights.{player.name}.{term} must be a number, but got {weight!r}.")


def check_players(key: str, players: Sequence[Player], given: Mapping[str, object]) -> None:
    """Refuse names under `key` that are not exactly the players'."""
    names = [player.name for player in players]
    for name in given:
        if name not in names:
            raise ConfigError(unknown(f"player in {key}:", name, names))
    for name in names:
        if name not in given:
            raise ConfigError(f"{key} says nothing about the player {name!r}; give it one entry for each of {names}.")


def check_lazy(players: Sequence[Player], lazy: Mapping[str, int]) -> None:
    """Refuse an interval for something that is not a penalty, or that is not a whole number from 1."""
    penalties = [name for player in players for name in player.penalties]
    for name, every in lazy.items():
        if name not in penalties:
            raise ConfigError(f"system.lazy names {name!r}, but the penalties of this method are {penalties}.")
        if not isinstance(every, int) or every < 1:
            raise ConfigError(f"system.lazy.{name} is computed every n-th turn, n >= 1, but got {every!r}.")


def weighted_sum(losses: Losses, weights: Mapping[str, float]) -> Tensor:
    """Add the terms up, each times its weight: the only place where weights are applied."""
    total = sum(weights[name] * loss for name, loss in losses.items())
    assert isinstance(total, Tensor)
    return total
