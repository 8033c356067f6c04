"""The baseline: training as most users run it today, from the papers' descriptions. Eager, fp32, plain Adam.

Its order of passes is the one that users of the public code get: pix2pix moves the discriminator first and asks it
again for the generator; CycleGAN moves both generators first, with six translations, then each discriminator.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.train.parts import timed
from ganstyle.methods.pool import ImagePool
from ganstyle.nn.patchgan import PatchGAN
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet
from ganstyle.types import Batch, Judgement

PARAMETERS = {"unet256": 54_413_955, "resnet9": 11_378_179, "patchgan of pairs": 2_768_705, "patchgan": 2_764_737}
"""As published: Isola et al. 2017 and Zhu et al. 2017, by their authors' networks."""
FORWARDS = {"pix2pix": {"generator": 1, "critic": 3}, "cyclegan": {"generator": 6, "critic": 6}}
"""Calls of a generator and of a discriminator in one step."""


def adam(*networks: nn.Module) -> torch.optim.Optimizer:
    """Plain Adam with the papers' constants."""
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return torch.optim.Adam(parameters, lr=0.0002, betas=(0.5, 0.999))


def as_pytorch_has_them(*networks: nn.Module) -> None:
    """Turn layers that ganstyle computes in its own ways into PyTorch's, with the same weights."""
    for network in networks:
        for layer in network.modules():
            for kind in (nn.Conv2d, nn.ConvTranspose2d, nn.InstanceNorm2d):
                if isinstance(layer, kind):
                    layer.__class__ = kind


def verdict(judgements: Sequence[Judgement]) -> Tensor:
    """The logits of a discriminator of one scale."""
    return judgements[0].logits


def is_real(logits: Tensor) -> Tensor:
    """Cross entropy against ones."""
    return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))


def is_fake(logits: Tensor) -> Tensor:
    """Cross entropy against zeros."""
    return F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits))


def square_to(logits: Tensor, value: float) -> Tensor:
    """Mean square distance from one value (least squares GAN)."""
    return F.mse_loss(logits, torch.full_like(logits, value))


def let_learn(networks: Iterable[nn.Module], learning: bool) -> None:
    """Have gradients computed for networks, or not."""
    for network in networks:
        network.requires_grad_(learning)


@dataclass
class Pix2PixGame:
    """U-Net-256 with batch norm and dropout against PatchGAN-70 on pairs; cross entropy and 100 x L1."""

    generator: nn.Module
    critic: nn.Module

    def __post_init__(self) -> None:
        as_pytorch_has_them(self.generator, self.critic)
        self.generator_adam, self.critic_adam = adam(self.generator), adam(self.critic)

    @classmethod
    def drawn(cls) -> "Pix2PixGame":
        """With the papers' networks, drawn anew."""
        return cls(UNet(), PatchGAN(in_channels=6, norm="batch"))

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Let the discriminator move, then the generator; returns every loss."""
        source, target = batch["source"], batch["target"]
        fake = self.generator(source)
        let_learn([self.critic], True)
        self.critic_adam.zero_grad()
        on_fake = is_fake(verdict(self.critic(torch.cat((source, fake.detach()), 1))))
        on_real = is_real(verdict(self.critic(torch.cat((source, target), 1))))
        torch.autograd.backward((on_fake + on_real) * 0.5)
        self.critic_adam.step()
        let_learn([self.critic], False)
        self.generator_adam.zero_grad()
        fooled = is_real(verdict(self.critic(torch.cat((source, fake), 1))))
        near = F.l1_loss(fake, target)
        torch.autograd.backward(fooled + 100.0 * near)
        self.generator_adam.step()
        losses = {"real": on_real, "fake": on_fake, "adversarial": fooled, "l1": near}
        return {name: loss.detach() for name, loss in losses.items()}


@dataclass
class CycleGANGame:
    """Two ResNet-9 with instance norm against two PatchGAN-70; least squares, 10 x cycle, 5 x identity, pools of 50."""

    to_target: nn.Module
    to_source: nn.Module
    of_source: nn.Module
    of_target: nn.Module

    def __post_init__(self) -> None:
        as_pytorch_has_them(self.to_target, self.to_source, self.of_source, self.of_target)
        self.generator_adam = adam(self.to_target, self.to_source)
        self.critic_adam = adam(self.of_source, self.of_target)
        self.pools = (ImagePool(50, 0), ImagePool(50, 1))

    @classmethod
    def drawn(cls) -> "CycleGANGame":
        """With the papers' networks, drawn anew."""
        return cls(ResNet(), ResNet(), PatchGAN(norm="instance"), PatchGAN(norm="instance"))

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Let both generators move, then both discriminators; returns every loss."""
        source, target = batch["source"], batch["target"]
        fake_target = self.to_target(source)
        restored_source = self.to_source(fake_target)
        fake_source = self.to_source(target)
        restored_target = self.to_target(fake_source)
        let_learn([self.of_source, self.of_target], False)
        self.generator_adam.zero_grad()
        same = F.l1_loss(self.to_target(target), target) + F.l1_loss(self.to_source(source), source)
        fooled = square_to(verdict(self.of_target(fake_target)), 1) + square_to(verdict(self.of_source(fake_source)), 1)
        cycle = F.l1_loss(restored_source, source) + F.l1_loss(restored_target, target)
        torch.autograd.backward(fooled + 10.0 * cycle + 5.0 * same)
        self.generator_adam.step()
        let_learn([self.of_source, self.of_target], True)
        self.critic_adam.zero_grad()
        losses = {"adversarial": fooled, "cycle": cycle, "identity": same}
        terms = {name: loss.detach() for name, loss in losses.items()}
        sides = ((self.of_source, source, fake_source), (self.of_target, target, fake_target))
        for pool, (critic, real, fake) in zip(self.pools, sides, strict=True):
            on_real = square_to(verdict(critic(real)), 1)
            on_fake = square_to(verdict(critic(pool.exchange(fake.detach()))), 0)
            torch.autograd.backward((on_real + on_fake) * 0.5)
            for name, loss in (("real", on_real), ("fake", on_fake)):
                terms[name] = terms.get(name, 0) + loss.detach()
        self.critic_adam.step()
        return terms


Game = Pix2PixGame | CycleGANGame


def clocked(game: Game) -> AbstractContextManager[Counter[str]]:
    """Add up the seconds that parts of steps take meanwhile; the rest is forward passes and losses."""
    backward = (torch.autograd, "backward", "backward")
    return timed([backward, *((own, "step", "optimizer") for own in (game.generator_adam, game.critic_adam))])


GAMES: dict[str, Callable[[], Game]] = {
    "pix2pix": Pix2PixGame.drawn,
    "cyclegan": CycleGANGame.drawn,
}
