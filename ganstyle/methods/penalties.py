"""The penalties that keep a discriminator's slope in bounds, as every method of the house lists them."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

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
    game: Game, sight: Callable[[Any], Sight], *, with_r1: bool
) -> Mapping[str, Callable[[Any], Scalar]]:
    """List `r1` where it is asked for and `gradient_penalty` where the game is not the paper's without it."""

    def r1_of(outputs: Any) -> Scalar:
        seen = sight(outputs)
        return r1(seen.real, seen.critic)

    def gradient_penalty_of(outputs: Any) -> Scalar:
        seen = sight(outputs)
        return gradient_penalty(seen.real, seen.fake, seen.seed, seen.critic)

    chosen = {"r1": r1_of} if with_r1 else {}
    return chosen | ({"gradient_penalty": gradient_penalty_of} if game.penalty == "gradient_penalty" else {})
