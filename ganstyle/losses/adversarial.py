"""What the two sides of a generative adversarial game minimise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from ganstyle.errors import ConfigError, unknown
from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Judgement, Scalar

Judgements: TypeAlias = tuple[Judgement, ...]
"""What a discriminator says of a batch, one judgement per scale."""


@dataclass(frozen=True)
class Game:
    """Three losses of a discriminator's logits, each averaged over patches, images and scales.

    A large logit means "real". Every scale counts the same, however many patches it has.
    """

    name: str
    of_real: Callable[[Tensor], Tensor]
    of_fake: Callable[[Tensor], Tensor]
    of_fooled: Callable[[Tensor], Tensor]
    penalty: str | None = None
    """The penalty without which the game is not the paper's."""

    def real(self, judgements: Judgements) -> Scalar:
        """Return what the discriminator minimises on real images."""
        return _average(self.of_real, [judgement.logits for judgement in judgements])

    def fake(self, judgements: Judgements) -> Scalar:
        """Return what the discriminator minimises on generated images."""
        return _average(self.of_fake, [judgement.logits for judgement in judgements])

    def fool(self, judgements: Judgements) -> Scalar:
        """Return what the generator minimises on the images it generated."""
        return _average(self.of_fooled, [judgement.logits for judgement in judgements])


@in_full_precision
def _average(loss: Callable[[Tensor], Tensor], logits: Sequence[Tensor]) -> Scalar:
    return torch.stack([loss(scale).mean() for scale in logits]).mean()


VANILLA = Game(
    "vanilla",
    of_real=lambda logits: F.softplus(-logits),
    of_fake=lambda logits: F.softplus(logits),
    of_fooled=lambda logits: F.softplus(-logits),
)
"""Cross-entropy with the non-saturating generator loss (Goodfellow et al. 2014, section 3)."""

LSGAN = Game(
    "lsgan",
    of_real=lambda logits: (logits - 1).square(),
    of_fake=lambda logits: logits.square(),
    of_fooled=lambda logits: (logits - 1).square(),
)
"""Least squares with labels 0 and 1 (Mao et al. 2017, eq. 9), without their factors 1/2, which are weights."""

HINGE = Game(
    "hinge",
    of_real=lambda logits: F.relu(1 - logits),
    of_fake=lambda logits: F.relu(1 + logits),
    of_fooled=lambda logits: -logits,
)
"""Margins of 1 (Lim & Ye 2017; Miyato et al. 2018, eq. 16 and 17)."""

WGAN_GP = Game(
    "wgan_gp",
    of_real=lambda logits: -logits,
    of_fake=lambda logits: logits,
    of_fooled=lambda logits: -logits,
    penalty="gradient_penalty",
)
"""Wasserstein distance (Arjovsky et al. 2017, eq. 2); a penalty holds its slope to 1 (Gulrajani et al. 2017, eq. 3)."""

GAMES = {game.name: game for game in (VANILLA, LSGAN, HINGE, WGAN_GP)}


def game(name: str) -> Game:
    """Return a game by name: vanilla, lsgan, hinge or wgan_gp.

    Raises ConfigError for any other name.
    """
    if name not in GAMES:
        raise ConfigError(unknown("adversarial game", name, GAMES))
    return GAMES[name]
