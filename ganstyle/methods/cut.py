"""Contrastive learning for unpaired image-to-image translation (Park et al. 2020): CUT and FastCUT."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ganstyle.draws import generator_of
from ganstyle.errors import ConfigError, unknown
from ganstyle.losses.adversarial import game
from ganstyle.losses.contrastive import patch_nce
from ganstyle.methods.base import Method, Player, check_switches
from ganstyle.methods.penalties import Sight, slope_penalties
from ganstyle.nn.authors import AuthorsResNet
from ganstyle.nn.light import Light
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet
from ganstyle.types import Batch, Image, Losses, Scalar, Seeds
from ganstyle.values import number, whole

Generator = UNet | ResNet | Light | AuthorsResNet
Activations = Float[Tensor, "batch channels rows columns"]
Places = Int[Tensor, "batch patches"]
Mirrored = Bool[Tensor, " batch"]
COLDEST = 1e-3
"""The least temperature: at 0 nothing can be computed, below it the loss would be turned around."""


@dataclass(frozen=True)
class Outputs:
    """A source, its translation, a target and, where asked for, that target translated."""

    source: Image
    fake: Image
    target: Image
    identity: Image | None
    mirrored: Mirrored
    """Whether the generator saw an image mirrored."""
    seed: Seeds


class Translation(nn.Module):
    """What one player moves: the generator, and small heads that map its features to where patches are compared."""

    def __init__(self, generator: Generator, taps: Sequence[str] | None, width: int) -> None:
        """Build a head of `width` numbers for every tap (all that there are, if None).

        Raises ConfigError for a tap that the generator does not have.
        """
        super().__init__()
        channels = generator.feature_channels
        self.taps = tuple(channels if taps is None else taps)
        if not self.taps:
            raise ConfigError(
                "system.method.taps is empty; name some of the generator's features, or give null for all."
            )
        for tap in self.taps:
            if tap not in channels:
                raise ConfigError(unknown("tap", tap, channels))
        self.generator = generator
        self.heads = nn.ModuleDict({tap: _head(channels[tap], width) for tap in self.taps})


class CUT(Method[Outputs]):
    """One direction: every patch of a result should be recognised among the patches of its source."""

    def __init__(
        self,
        generator: Generator,
        discriminator: nn.Module,
        *,
        adversarial: str,
        taps: Sequence[str] | None = None,
        patches: int = 256,
        width: int = 256,
        temperature: float = 0.07,
        identity: bool = True,
        mirror: bool = False,
        r1: bool = False,
        n_critic: int = 1,
    ) -> None:
        """Compare the generator's features at `taps` (all, if None) in `patches` places, as vectors of `width` numbers.

        `identity` adds the term `nce_identity`, `r1` the penalty of that name; `mirror` shows the generator half the
        images mirrored, in training; the generator moves on every `n_critic`-th batch.
        Raises ConfigError for a tap that the generator does not have.
        """
        super().__init__()
        check_switches(identity=identity, mirror=mirror, r1=r1)
        self.translation = Translation(generator, taps, whole("system.method.width", width, least=1))
        self.discriminator = discriminator
        self.game = game(adversarial)
        self.patches = whole("system.method.patches", patches, least=1)
        self.temperature = number("system.method.temperature", temperature, least=COLDEST)
        self.identity = identity
        self.mirror = mirror
        self.r1 = r1
        self.n_critic = whole("system.method.n_critic", n_critic, least=1)

    @property
    def players(self) -> Sequence[Player]:
        """The discriminator moves first, as in the authors' code; the heads move with the generator."""
        identity = ("nce_identity",) if self.identity else ()
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
                self.translation,
                self.generator_losses,
                ("adversarial", "nce", *identity),
                every=self.n_critic,
            ),
        )

    @property
    def generators(self) -> Mapping[str, nn.Module]:
        """The one generator, without the heads."""
        return {"generator": self.translation.generator}

    def forward(self, batch: Batch) -> Outputs:
        """Translate the source and, for the identity, the target."""
        source, target, seed = batch["source"], batch["target"], batch["seed"]
        mirrored = _tosses(seed) if self.mirror and self.training else torch.zeros_like(seed, dtype=torch.bool)
        generator = self.translation.generator
        return Outputs(
            source=source,
            fake=generator(_mirror(source, mirrored)),
            target=target,
            identity=generator(_mirror(target, mirrored)) if self.identity else None,
            mirrored=mirrored,
            seed=seed,
        )

    def discriminator_losses(self, out: Outputs) -> Losses:
        """Tell targets from translations (eq. 1)."""
        return {
            "real": self.game.real(self.discriminator(out.target)),
            "fake": self.game.fake(self.discriminator(out.fake.detach())),
        }

    def generator_losses(self, out: Outputs) -> Losses:
        """Fool the discriminator, keep every patch recognisable, in translated targets too (eq. 1, 3 and 5)."""
        losses = {
            "adversarial": self.game.fool(self.discriminator(out.fake)),
            "nce": self._nce(out.source, out.fake, out),
        }
        if out.identity is not None:
            losses["nce_identity"] = self._nce(out.target, out.identity, out)
        return losses

    def _nce(self, original: Image, translated: Image, out: Outputs) -> Scalar:
        """Recognise the original's patches in its translation, averaged over taps (eq. 3)."""
        generator, taps = self.translation.generator, self.translation.taps
        with torch.no_grad():
            keys = generator.features(original, taps)
        queries = generator.features(translated, taps)
        losses = [self._nce_at(tap, _mirror(queries[tap], out.mirrored), keys[tap], out.seed) for tap in taps]
        return torch.stack(losses).mean()

    def _nce_at(self, tap: str, queries: Activations, keys: Activations, seeds: Seeds) -> Scalar:
        head = self.translation.heads[tap]
        places = _places(seeds, tap, queries[0, 0].numel(), self.patches).to(queries.device)
        return patch_nce(head(_patches(queries, places)), head(_patches(keys, places)), temperature=self.temperature)

    def _sights(self, out: Outputs) -> Sequence[Sight]:
        return (Sight(self.discriminator, out.target, out.fake, out.seed),)


def _head(channels: int, width: int) -> nn.Sequential:
    """Two layers (section 3), drawn from Normal(0, 0.02) as the authors' code does."""
    head = nn.Sequential(nn.Linear(channels, width), nn.ReLU(), nn.Linear(width, width))
    for name, parameter in head.named_parameters():
        nn.init.normal_(parameter, 0, 0.02) if name.endswith("weight") else nn.init.zeros_(parameter)
    return head


def _places(seeds: Seeds, tap: str, available: int, wanted: int) -> Places:
    """Draw places without repetition, for every image and tap from the image's seed."""
    draws = [torch.randperm(available, generator=generator_of("nce", seed, tap)) for seed in seeds.tolist()]
    return torch.stack(draws)[:, :wanted]


def _patches(activations: Activations, places: Places) -> Float[Tensor, "batch patches channels"]:
    every = activations.flatten(2).mT
    return every.gather(1, places[:, :, None].expand(-1, -1, every.shape[2]))


def _tosses(seeds: Seeds) -> Mirrored:
    """Toss a coin for every image, from its seed."""
    tosses = [torch.rand(1, generator=generator_of("mirror", seed)) < 0.5 for seed in seeds.tolist()]
    return torch.cat(tosses)


def _mirror(images: Activations, mirrored: Mirrored) -> Activations:
    return torch.where(mirrored.to(images.device)[:, None, None, None], images.flip(3), images)
