"""Restyle photographs after a collection: an adversary judges the whole, a frozen network content and style."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganstyle.errors import ConfigError, unknown
from ganstyle.losses.adversarial import game
from ganstyle.losses.bands import band_energies
from ganstyle.losses.patches import patch_sliced_wasserstein
from ganstyle.losses.perceptual import (
    DISTRIBUTION,
    STYLE_TARGETS,
    content_loss,
    gram,
    moments,
    numbers_loss,
    style_loss,
    style_statistics,
)
from ganstyle.losses.reconstruction import l1
from ganstyle.losses.smoothness import fine_color, total_variation
from ganstyle.methods.base import Method, Player, check_switches
from ganstyle.methods.memory import Memory
from ganstyle.methods.penalties import Sight, slope_penalties
from ganstyle.nn.vgg import Perceptual
from ganstyle.types import Batch, Features, Image, Losses, Scalar, Seeds
from ganstyle.values import whole

STYLE_TERMS: Mapping[str, str] = {
    "gram": "style",
    "moments": "style_moments",
    "bands": "style_bands",
    "patches": "style_patches",
}
"""Ways to compare the manner in which two images are painted, and the term that each one adds."""


@dataclass(frozen=True)
class Outputs:
    """A photograph, the same restyled, a picture of the collection and, where asked for, (some of) those restyled."""

    source: Image
    fake: Image
    target: Image
    identity: Float[Tensor, "kept 3 height width"] | None
    seed: Seeds


class PerceptualGAN(Method[Outputs]):
    """One direction, without pairs: generator against a discriminator that knows the style collection.

    Ganstyle's own recipe. Its parts: PatchGAN (Isola et al. 2017), content and style from a frozen network (Gatys et
    al. 2016; Johnson et al. 2016), the identity of what is in style already (Taigman et al. 2017, eq. 6), smoothness.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        perceptual: Perceptual,
        *,
        adversarial: str,
        content_layers: Mapping[str, float],
        style_layers: Mapping[str, float],
        content_normalized: bool = True,
        style: Sequence[str] = ("gram",),
        style_target: str = "distribution",
        remembered: int = 0,
        identity_every: int = 1,
        r1: bool = False,
        n_critic: int = 1,
    ) -> None:
        """Take weights by layer name for content and for style.

        `style` lists the measures of style, `style_target` says what a result is measured against (see `style_loss`),
        a distribution being, in training, that of the batch's targets and of this many `remembered` ones before them;
        in training every `identity_every`-th picture of a batch should stay as it is (0: no such term), `r1` adds the
        penalty of that name; the generator moves on every `n_critic`-th batch.
        Raises WeightsError for a layer that the feature network does not have, ConfigError for other unknown names.
        """
        super().__init__()
        check_switches(content_normalized=content_normalized, r1=r1)
        self.generator, self.discriminator, self.perceptual = generator, discriminator, perceptual
        self.game = game(adversarial)
        self.content_layers = _weighed("content_layers", content_layers)
        self.style_layers = _weighed("style_layers", style_layers)
        self.content_normalized = content_normalized
        self.style = _known("style", (style,) if isinstance(style, str) else style, STYLE_TERMS)
        (self.style_target,) = _known("style target", (style_target,), (*STYLE_TARGETS, DISTRIBUTION))
        self.memory = Memory(whole("system.method.remembered", remembered, least=0))
        self.identity_every = whole("system.method.identity_every", identity_every, least=0)
        self.r1 = r1
        self.n_critic = whole("system.method.n_critic", n_critic, least=1)
        perceptual.require([*content_layers, *style_layers])

    @property
    def players(self) -> Sequence[Player]:
        """The discriminator moves first."""
        style = tuple(STYLE_TERMS[measure] for measure in self.style)
        identity = ("identity",) if self.identity_every else ()
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
                ("adversarial", "content", *style, *identity, "total_variation", "fine_color"),
                every=self.n_critic,
            ),
        )

    @property
    def generators(self) -> Mapping[str, nn.Module]:
        """The one generator."""
        return {"generator": self.generator}

    @property
    def least_batch(self) -> int:
        """Two where style is a distribution: how unlike each other the results of one device are counts, too."""
        return 2 if self.style_target == DISTRIBUTION and {*self.style} - {"patches"} else 1

    @property
    def replayable(self) -> bool:
        """Once as many targets are remembered as can be, unless patches are drawn."""
        return "patches" not in self.style and (self.style_target != DISTRIBUTION or self.memory.is_full)

    def forward(self, batch: Batch) -> Outputs:
        """Restyle the photograph and, for the identity, the picture that is in style already."""
        source, target = batch["source"], batch["target"]
        identity = self.generator(target[:: self._stride]) if self.identity_every else None
        return Outputs(source, self.generator(source), target, identity, batch["seed"])

    @property
    def _stride(self) -> int:
        return self.identity_every if self.training else 1

    def discriminator_losses(self, out: Outputs) -> Losses:
        """Tell the collection from restyled photographs."""
        return {
            "real": self.game.real(self.discriminator(out.target)),
            "fake": self.game.fake(self.discriminator(out.fake.detach())),
        }

    def generator_losses(self, out: Outputs) -> Losses:
        """Pass for a picture of the collection that shows what the photograph shows."""
        kept = {} if out.identity is None else {"identity": l1(out.identity, out.target[:: self._stride])}
        return {
            "adversarial": self.game.fool(self.discriminator(out.fake)),
            **self._perceptual_losses(out),
            **kept,
            "total_variation": total_variation(out.fake),
            "fine_color": fine_color(out.fake),
        }

    def _perceptual_losses(self, out: Outputs) -> Losses:
        features = self.perceptual(out.fake, [*self.content_layers, *self.style_layers])
        with torch.no_grad():
            source = self.perceptual(out.source, list(self.content_layers))
            target = self.perceptual(out.target, list(self.style_layers))
        content = content_loss(features, source, self.content_layers, normalized=self.content_normalized)
        style = {STYLE_TERMS[measure]: self._style_loss(measure, features, target, out) for measure in self.style}
        return {"content": content, **style}

    def _style_loss(self, measure: str, features: Features, target: Features, out: Outputs) -> Scalar:
        if measure == "patches":
            return patch_sliced_wasserstein(out.fake, out.target, out.seed)
        if measure == "bands":
            return self._band_loss(out)
        statistic = {"gram": gram, "moments": moments}[measure]
        earlier = self._earlier(measure, lambda: style_statistics(target, self.style_layers, statistic))
        layers = self.style_layers
        return style_loss(features, target, layers, statistic=statistic, target=self.style_target, earlier=earlier)

    def _band_loss(self, out: Outputs) -> Scalar:
        wanted = band_energies(out.target)
        earlier = self._earlier("bands", lambda: {"image": wanted})
        before = earlier["image"] if earlier else None
        return numbers_loss(band_energies(out.fake), wanted, target=self.style_target, earlier=before)

    def _earlier(self, measure: str, found: Callable[[], Features]) -> Features | None:
        """Recall the targets before these and keep these; only in training, since validation may see larger ones."""
        if self.style_target != DISTRIBUTION or not self.training:
            return None
        rows = found()
        earlier = self.memory.recall(measure, rows)
        self.memory.keep(measure, rows)
        return earlier

    @property
    def memories(self) -> Mapping[str, Memory]:
        """Statistics of the last targets, where style is a distribution."""
        return {"style": self.memory}

    def _sights(self, out: Outputs) -> Sequence[Sight]:
        return (Sight(self.discriminator, out.target, out.fake, out.seed),)


def _known(kind: str, names: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Return the names, each once, or raise ConfigError."""
    for name in names:
        if name not in known:
            raise ConfigError(unknown(kind, name, known))
    return tuple(dict.fromkeys(names))


def _weighed(knob: str, layers: Mapping[str, float]) -> dict[str, float]:
    if not layers:
        raise ConfigError(
            f"system.method.{knob} is empty; give at least one layer with its weight, such as relu4_1: 1.0."
        )
    return {layer: float(weight) for layer, weight in layers.items()}
