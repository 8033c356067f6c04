"""Teach a small generator to paint what a trained one paints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from ganstyle.errors import ConfigError, unknown
from ganstyle.losses.adversarial import game
from ganstyle.losses.imitation import relative_error
from ganstyle.losses.perceptual import style_loss
from ganstyle.losses.reconstruction import l1
from ganstyle.methods.base import Method, Player
from ganstyle.nn.generator import observed
from ganstyle.nn.vgg import Perceptual
from ganstyle.types import Batch, Features, Image, Losses


@dataclass(frozen=True)
class Outputs:
    """A photograph, what student and teacher make of it, and their activations, the student's widened by its heads."""

    source: Image
    fake: Image
    target: Image
    features: Features
    """By tap of the student."""
    wanted: Features
    """The teacher's at the same places."""


class Imitation(nn.Module):
    """What one player moves: the student, and a 1 x 1 convolution at each tap that widens its activations."""

    def __init__(self, student: nn.Module, teacher: nn.Module, taps: Mapping[str, str]) -> None:
        super().__init__()
        own, others = channels_of(student), channels_of(teacher)
        for tap, other in taps.items():
            if tap not in own:
                raise ConfigError(unknown("tap of the student", tap, own))
            if other not in others:
                raise ConfigError(unknown("tap of the teacher", other, others))
        self.student = student
        self.heads = nn.ModuleDict({tap: nn.Conv2d(own[tap], others[other], 1) for tap, other in taps.items()})


class Distill(Method[Outputs]):
    """The student sees what the teacher sees, and should paint the same, by the same intermediate steps.

    Output distillation (Hinton et al. 2015) with L1, frozen features and their Gram matrices; feature distillation
    through 1 x 1 convolutions (Romero et al. 2015, FitNets; for generators Li et al. 2020, "GAN compression").
    """

    def __init__(
        self,
        generator: nn.Module,
        teacher: nn.Module,
        perceptual: Perceptual,
        *,
        layers: Mapping[str, float],
        taps: Mapping[str, str] | None = None,
        discriminator: nn.Module | None = None,
        adversarial: str = "hinge",
    ) -> None:
        """Take the student as `generator`, and weights by layer name for the frozen features.

        `taps` maps the student's taps to the teacher's (None: see `matching_taps`); without any there is no term
        `features`. A `discriminator` tells the teacher's pictures from the student's.
        Raises ConfigError for a tap, WeightsError for a layer that is not there.
        """
        super().__init__()
        self.teacher = teacher.requires_grad_(False).eval()
        self.taps = dict(matching_taps(generator, teacher) if taps is None else taps)
        self.imitation = Imitation(generator, teacher, self.taps)
        self.perceptual = perceptual
        self.layers = {layer: float(weight) for layer, weight in layers.items()}
        self.discriminator = discriminator
        self.game = game(adversarial)
        perceptual.require(list(layers))

    def train(self, mode: bool = True) -> "Distill":
        """Leave the teacher as it paints for users."""
        super().train(mode)
        self.teacher.eval()
        return self

    @property
    def players(self) -> Sequence[Player]:
        """The discriminator, where there is one, moves first; the heads move with the student."""
        terms = ("l1", "perceptual", "style", *(["features"] if self.taps else []))
        if self.discriminator is None:
            return (Player("generator", self.imitation, self.generator_losses, terms),)
        return (
            Player("discriminator", self.discriminator, self.discriminator_losses, ("real", "fake")),
            Player("generator", self.imitation, self.generator_losses, (*terms, "adversarial")),
        )

    @property
    def generators(self) -> Mapping[str, nn.Module]:
        """The student, without the heads."""
        return {"generator": self.imitation.student}

    @property
    def replayable(self) -> bool:
        """Always: nothing is drawn."""
        return True

    def forward(self, batch: Batch) -> Outputs:
        """Show the photographs to both."""
        source = batch["source"]
        with torch.no_grad():
            target, taught = observed(self.teacher, source, list(self.taps.values()))
        fake, own = observed(self.imitation.student, source, list(self.taps))
        features = {tap: self.imitation.heads[tap](own[tap]) for tap in self.taps}
        return Outputs(source, fake, target, features, {tap: taught[other] for tap, other in self.taps.items()})

    def discriminator_losses(self, out: Outputs) -> Losses:
        """Tell the teacher's pictures from the student's."""
        judge = self._judge
        return {"real": self.game.real(judge(out.target)), "fake": self.game.fake(judge(out.fake.detach()))}

    def generator_losses(self, out: Outputs) -> Losses:
        """Paint what the teacher paints."""
        seen = self.perceptual(out.fake, list(self.layers))
        with torch.no_grad():
            wanted = self.perceptual(out.target, list(self.layers))
        losses = {
            "l1": l1(out.fake, out.target),
            "perceptual": relative_error(seen, wanted, self.layers),
            "style": style_loss(seen, wanted, self.layers),
        }
        if self.taps:
            losses["features"] = relative_error(out.features, out.wanted, dict.fromkeys(self.taps, 1 / len(self.taps)))
        if self.discriminator is not None:
            losses["adversarial"] = self.game.fool(self._judge(out.fake))
        return losses

    @property
    def _judge(self) -> nn.Module:
        assert self.discriminator is not None
        return self.discriminator


def channels_of(network: nn.Module) -> Mapping[str, int]:
    """How many channels each tap of a generator has; nothing for a network without taps."""
    found = getattr(network, "feature_channels", None)
    return {tap: count for tap, count in found.items() if tap != "image"} if isinstance(found, Mapping) else {}


def matching_taps(student: nn.Module, teacher: nn.Module) -> dict[str, str]:
    """Pair taps of one name; of the residual blocks, the middle and the last of either network."""
    own, others = channels_of(student), channels_of(teacher)
    paired = {tap: tap for tap in own if tap in others and not tap.startswith("block")}
    deep, deeper = (sum(tap.startswith("block") for tap in taps) for taps in (own, others))
    if deep and deeper:
        paired |= {f"block{-(-deep // 2)}": f"block{-(-deeper // 2)}", f"block{deep}": f"block{deeper}"}
    return paired
