"""Add a loss of your own to a method of the house, and train it by ganstyle's run, from Python.

python examples/own_loss.py runs/palette experiment=smoke
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from torch import nn

from ganstyle.methods.base import Method, Player
from ganstyle.methods.pix2pix import Outputs, Pix2Pix
from ganstyle.training.folder import conf_folder
from ganstyle.training.run import run
from ganstyle.types import Batch, Image, Losses, Scalar


def palette(image: Image, target: Image) -> Scalar:
    """Mean square distance between the mean colors of two batches of images."""
    return (image.mean((2, 3)) - target.mean((2, 3))).square().mean()


class WithPalette(Method[Outputs]):
    """pix2pix whose generator answers for the mean color, too."""

    def __init__(self, method: Pix2Pix) -> None:
        super().__init__()
        self.method = method

    @property
    def players(self) -> Sequence[Player]:
        """The players of pix2pix; the generator has one more term, whose weight the configuration states."""
        discriminator, generator = self.method.players
        return discriminator, generator._replace(terms=(*generator.terms, "palette"), losses=self.generator_losses)

    def generator_losses(self, out: Outputs) -> Losses:
        """Fool the discriminator, stay near the target, and keep its mean color."""
        return {**self.method.generator_losses(out), "palette": palette(out.fake, out.target)}

    @property
    def generators(self) -> Mapping[str, nn.Module]:
        """The generator of pix2pix."""
        return self.method.generators

    def forward(self, batch: Batch) -> Outputs:
        """Translate the source."""
        outputs: Outputs = self.method(batch)
        return outputs


def configured(overrides: list[str]) -> DictConfig:
    """Compose what `train.py` would, and wrap the method in the one above."""
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        config: DictConfig = compose("train", [*overrides, "+system.weights.generator.palette=10"])
    config.system.method = {"_target_": f"{WithPalette.__module__}.WithPalette", "method": config.system.method}
    return config


def main(folder: Path, *overrides: str) -> None:
    """Train in `folder`, which ends with checkpoints, samples and an artifact."""
    outcome = run(configured([*overrides]), folder, [*overrides])
    print({name: round(score, 3) for name, score in outcome.scores.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
