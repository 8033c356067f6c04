"""Image-to-image translation with conditional adversarial networks (Isola et al. 2017)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from ganstyle.losses.adversarial import Judgements, game
from ganstyle.losses.matching import feature_matching
from ganstyle.losses.reconstruction import l1
from ganstyle.methods.base import Method, Player, check_switches
from ganstyle.methods.penalties import Sight, slope_penalties
from ganstyle.types import Batch, Image, Losses, Seeds
from ganstyle.values import whole


@dataclass(frozen=True)
class Outputs:
    """A source, its translation and the known answer."""

    source: Image
    fake: Image
    target: Image
    seed: Seeds


class Pix2Pix(Method[Outputs]):
    """A generator translates the source; a discriminator sees source and target side by side."""

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        *,
        adversarial: str,
        feature_matching: bool = False,
        r1: bool = False,
        n_critic: int = 1,
    ) -> None:
        """Take a discriminator of six channels.

        `feature_matching` and `r1` add the terms of that name; the generator moves on every `n_critic`-th batch.
        """
        super().__init__()
        check_switches(feature_matching=feature_matching, r1=r1)
        self.generator = generator
        self.discriminator = discriminator
        self.game = game(adversarial)
        self.feature_matching = feature_matching
        self.r1 = r1
        self.n_critic = whole("system.method.n_critic", n_critic, least=1)

    @property
    def players(self) -> Sequence[Player]:
        """The discriminator moves first, as in the paper's section 3.3."""
        matching = ("feature_matching",) if self.feature_matching else ()
        return (
            Player(
                "discriminator",
                self.discriminator,
                self.discriminator_losses,
                ("real", "fake"),
                slope_penalties(self.game, self._sights, with_r1=self.r1),
            ),
            Player(
                "generator",
                self.generator,
                self.generator_losses,
                ("adversarial", "l1", *matching),
                every=self.n_critic,
            ),
        )

    @property
    def needs_pairs(self) -> bool:
        """A result is compared with its own target."""
        return True

    @property
    def generators(self) -> Mapping[str, nn.Module]:
        """The one generator."""
        return {"generator": self.generator}

    @property
    def replayable(self) -> bool:
        """Always: dropout draws on the device."""
        return True

    def forward(self, batch: Batch) -> Outputs:
        """Translate the source."""
        source, target = batch["source"], batch["target"]
        return Outputs(source, self.generator(source), target, batch["seed"])

    def discriminator_losses(self, out: Outputs) -> Losses:
        """Tell real pairs from fake ones (eq. 1)."""
        return {
            "real": self.game.real(self._judge(out.source, out.target)),
            "fake": self.game.fake(self._judge(out.source, out.fake.detach())),
        }

    def generator_losses(self, out: Outputs) -> Losses:
        """Fool the discriminator and stay near the target (eq. 1 and 3)."""
        judgements = self._judge(out.source, out.fake)
        losses = {"adversarial": self.game.fool(judgements), "l1": l1(out.fake, out.target)}
        if self.feature_matching:
            losses["feature_matching"] = feature_matching(judgements, self._judge(out.source, out.target))
        return losses

    def _judge(self, source: Image, target: Image) -> Judgements:
        judgements: Judgements = self.discriminator(torch.cat((source, target), 1))
        return judgements

    def _sights(self, out: Outputs) -> Sequence[Sight]:
        return (Sight(lambda image: self._judge(out.source, image), out.target, out.fake, out.seed),)
