"""A small game of any method on the toy data, built as `train.py` builds it and stepped without Lightning's trainer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning.plugins.precision import Precision
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ganstyle.data.problem import Problem
from ganstyle.training.build import build_system
from ganstyle.training.folder import conf_folder
from ganstyle.training.loaders import Numbers
from ganstyle.training.system import System

BATCH, SIDE = 4, 32
SMALL = (
    "trainer=small",
    f"trainer.batch_size={BATCH}",
    "trainer.precision=32",
    f"data.size={SIDE}",
    "data.val=16",
    "data.held_out=1",
    "generator=unet128",
    "generator.channels=8",
    "generator.depth=3",
    "generator.dropout=0.0",
    "system.optimizers.generator.lr=0.001",
)
SMALL_JUDGE = (
    "discriminator=patchgan",
    "discriminator.norm=none",
    "discriminator.channels=12",
    "discriminator.layers=1",
    "system.optimizers.discriminator.lr=0.001",
)
CONTRAST = ("system.method.taps=null", "system.method.patches=64")
TEACHER = f"system.method.teacher.artifact={Path(__file__).parents[1] / 'examples' / 'models' / 'vangogh'}"
METHODS: dict[str, tuple[str, ...]] = {
    "pix2pix": ("data=toy", "method=pix2pix", *SMALL_JUDGE),
    "cyclegan": ("data=toy_unpaired", "method=cyclegan", *SMALL_JUDGE),
    "cut": ("data=toy_unpaired", "method=cut", *CONTRAST, *SMALL_JUDGE),
    "fastcut": ("data=toy_unpaired", "method=fastcut", *CONTRAST, *SMALL_JUDGE),
    "perceptual_gan": ("data=toy_unpaired", "method=perceptual_gan", *SMALL_JUDGE),
    "distill": ("data=toy_unpaired", "method=distill", TEACHER),
    "distill_gan": ("data=toy_unpaired", "method=distill_gan", TEACHER, *SMALL_JUDGE),
}
"""Overrides that choose a method and the data that it takes: every method of conf that has losses of its own."""
VARIANTS = {
    "pix2pix_short": "pix2pix",
    "perceptual_gan_collection": "perceptual_gan",
    "perceptual_gan_few": "perceptual_gan",
}
"""Options of conf/method that weigh the losses of another differently; they are not played."""


class Game:
    """A system with its data, ready to step on a device."""

    def __init__(self, config: DictConfig, device: str = "cpu") -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.problem: Problem = instantiate(self.config.data, _convert_="all")
        self.system: Any = build_system(self.config, instantiate(self.config.trainer), self.problem)
        self.system.to(device)
        self._take_lightning_s_place()

    def _take_lightning_s_place(self) -> None:
        self.optimizers = self.system.configure_optimizers()
        self.system.optimizers = lambda use_pl_optimizer=True: self.optimizers
        self.system.manual_backward = Tensor.backward
        self.system._trainer = self
        self.precision_plugin = Precision()
        self.system.on_train_start()

    @property
    def generators(self) -> list[nn.Module]:
        """The networks that translate, source to target first."""
        return list(self.system.method.generators.values())

    def network(self, player: str) -> nn.Module:
        """Return what a player moves."""
        found: nn.Module = next(p.network for p in self.system.players if p.name == player)
        return found

    def steps(self) -> Iterator[System]:
        """Yield the system after every step of the run."""
        numbers = Numbers(0, self.system.total_images, BATCH)
        for batch in DataLoader(self.problem.train, batch_sampler=numbers):  # type: ignore[arg-type]
            self.system.training_step(batch, 0)
            yield self.system


def composed(method: str, iterations: int, seed: int, overrides: tuple[str, ...] = ()) -> DictConfig:
    """Compose the configuration of a small game."""
    own = (*METHODS[method], *SMALL, f"seed={seed}", f"trainer.max_images={iterations * BATCH}", "data.scenes=128")
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        config: DictConfig = compose("train", [*own, *overrides])
    return config
