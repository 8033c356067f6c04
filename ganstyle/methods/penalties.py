"""The penalties that keep a discriminator's slope in bounds, as every method of the house lists them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganstyle.losses.adversarial import Game
from ganstyle.losses.penalties import Critic, gradient_penalty, r1
from ganstyle.types import Scalar, Seeds


class Sight(NamedTuple):
    """What a discriminator looks at, and how."""

    critic: Critic
    real: Tensor
    fake: Tensor
    seed: Seeds


def slope_penalties(
    game: Game, sights: Callable[[Any], Sequence[Sight]], *, with_r1: bool
) -> Mapping[str, Callable[[Any], Scalar]]:
    """List `r1` where it is asked for and `gradient_penalty` where the game is not the paper's without it.

    `sights` maps the outputs to what each of the player's discriminators looks at; their penalties are added.
    """
    chosen: dict[str, Callable[[Any], Scalar]] = {}
    if with_r1:
        chosen["r1"] = lambda outputs: _total(r1(seen.real, seen.critic) for seen in sights(outputs))
    if game.penalty == "gradient_penalty":
        chosen["gradient_penalty"] = lambda outputs: _total(
            gradient_penalty(seen.real, seen.fake, seen.seed, seen.critic) for seen in sights(outputs)
        )
    return chosen


def _total(penalties: Iterable[Scalar]) -> Scalar:
    return torch.stack(list(penalties)).sum()
