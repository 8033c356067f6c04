"""Unpaired image-to-image translation with cycle-consistent adversarial networks (Zhu et al. 2017)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from ganstyle.losses.adversarial import game
from ganstyle.losses.reconstruction import l1
from ganstyle.methods.base import Method, Player, check_switches
from ganstyle.methods.penalties import Sight, slope_penalties
from ganstyle.methods.pool import ImagePool
from ganstyle.types import Batch, Image, Losses, Seeds
from ganstyle.values import whole


@dataclass(frozen=True)
class Outputs:
    """Both images, each translated, brought back and, where asked for, given to the generator that should keep it."""

    source: Image
    fake_target: Image
    restored_source: Image
    target: Image
    fake_source: Image
    restored_target: Image
    same_source: Image | None
    same_target: Image | None
    shown_source: Image
    """What the source's discriminator is shown as fake: a constant, in training out of the pool."""
    shown_target: Image
    seed: Seeds


class CycleGAN(Method[Outputs]):
    """Two generators undo each other; a discriminator on either side knows that side's images."""

    def __init__(
        self,
        source_to_target: nn.Module,
        target_to_source: nn.Module,
        source_discriminator: nn.Module,
        target_discriminator: nn.Module,
        *,
        adversarial: str,
        identity: bool = True,
        pool_size: int = 50,
        r1: bool = False,
        n_critic: int = 1,
    ) -> None:
        """Take two networks of each kind.

        `identity` and `r1` add the terms of that name; pools hold `pool_size` images each, 0 turns them off; the
        generators move on every `n_critic`-th batch.
        """
        super().__init__()
        check_switches(identity=identity, r1=r1)
        self._generators = nn.ModuleDict({"source_to_target": source_to_target, "target_to_source": target_to_source})
        self.discriminators = nn.ModuleDict({"source": source_discriminator, "target": target_discriminator})
        self.game = game(adversarial)
        self.identity = identity
        self.r1 = r1
        self.n_critic = whole("system.method.n_critic", n_critic, least=1)
        self._pools = {name: ImagePool(pool_size, seed) for seed, name in enumerate(("shown_source", "shown_target"))}

    @property
    def players(self) -> Sequence[Player]:
        """The generators move first, as in the authors' code; each player is a pair."""
        identity = ("identity",) if self.identity else ()
        return (
            Player(
                "generator",
                self._generators,
                self.generator_losses,
                ("adversarial", "cycle", *identity),
                every=self.n_critic,
            ),
            Player(
                "discriminator",
                self.discriminators,
                self.discriminator_losses,
                ("real", "fake"),
                slope_penalties(self.game, self._sights, with_r1=self.r1),
            ),
        )

    @property
    def generators(self) -> Mapping[str, nn.Module]:
        """One generator for each direction."""
        return dict(self._generators.items())

    @property
    def pools(self) -> Mapping[str, ImagePool]:
        """One history for each discriminator (section 4)."""
        return self._pools

    @property
    def replayable(self) -> bool:
        """Always: the pools are asked outside."""
        return True

    def forward(self, batch: Batch) -> Outputs:
        """Translate both images, there and back."""
        source, target = batch["source"], batch["target"]
        to_target, to_source = self._generators["source_to_target"], self._generators["target_to_source"]
        fake_target, fake_source = to_target(source), to_source(target)
        return Outputs(
            source=source,
            fake_target=fake_target,
            restored_source=to_source(fake_target),
            target=target,
            fake_source=fake_source,
            restored_target=to_target(fake_source),
            same_source=to_source(source) if self.identity else None,
            same_target=to_target(target) if self.identity else None,
            shown_source=fake_source.detach(),
            shown_target=fake_target.detach(),
            seed=batch["seed"],
        )

    def generator_losses(self, out: Outputs) -> Losses:
        """Fool both discriminators, come back (eq. 1 and 2) and leave alone what is there already (section 5.2)."""
        fooled_source = self.game.fool(self.discriminators["source"](out.fake_source))
        fooled_target = self.game.fool(self.discriminators["target"](out.fake_target))
        losses = {
            "adversarial": fooled_source + fooled_target,
            "cycle": l1(out.restored_source, out.source) + l1(out.restored_target, out.target),
        }
        if out.same_source is not None and out.same_target is not None:
            losses["identity"] = l1(out.same_source, out.source) + l1(out.same_target, out.target)
        return losses

    def discriminator_losses(self, out: Outputs) -> Losses:
        """Tell each side's images from translated ones (eq. 1)."""
        of_source, of_target = self.discriminators["source"], self.discriminators["target"]
        return {
            "real": self.game.real(of_source(out.source)) + self.game.real(of_target(out.target)),
            "fake": self.game.fake(of_source(out.shown_source)) + self.game.fake(of_target(out.shown_target)),
        }

    def _sights(self, out: Outputs) -> Sequence[Sight]:
        return (
            Sight(self.discriminators["source"], out.source, out.shown_source, out.seed),
            Sight(self.discriminators["target"], out.target, out.shown_target, out.seed),
        )
