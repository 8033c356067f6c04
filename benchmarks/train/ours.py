"""ganstyle's arms: systems as `train.py` builds them for the papers' experiments, stepped without or with Lightning."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from torch import Tensor

from benchmarks.toy_game import Game
from benchmarks.train.incumbent import Game as Baseline
from benchmarks.train.incumbent import Pix2PixGame
from benchmarks.train.parts import timed
from ganstyle.training.folder import conf_folder
from ganstyle.training.witness import Nobody
from ganstyle.types import Batch, Losses

RECIPES = {
    "pix2pix": ("experiment=maps_paper", "data=toy"),
    "cyclegan": ("experiment=monet_paper", "data=toy_unpaired"),
}
SIDE = 256
FEW = ("data.scenes=4", "data.val=1", "data.held_out=1", "trainer.max_images=100000000")


def composed(recipe: str, batch_size: int, precision: str, overrides: Sequence[str] = ()) -> Any:
    """Compose a paper's experiment on a few drawn pictures of the paper's size."""
    size = (f"data.size={SIDE}", f"trainer.batch_size={batch_size}", f"trainer.precision={precision}")
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        return compose("train", [*RECIPES[recipe], *size, *FEW, *overrides])


class Arm:
    """A system that steps in the precision of its configuration."""

    def __init__(
        self, recipe: str, batch_size: int, precision: str, overrides: Sequence[str] = (), *, device: str = "cpu"
    ) -> None:
        self.game = Game(composed(recipe, batch_size, precision, overrides), device)
        self.is_half = resolved(self.game.config) == "bf16-mixed"
        self.device = next(self.game.system.parameters()).device.type

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Train on one batch; returns every loss by its name."""
        self.game.system.witness = seen = _Seen()
        with torch.autocast(self.device, torch.bfloat16, enabled=self.is_half):
            self.game.system.training_step(batch, 0)
        return seen.terms

    def like(self, baseline: Baseline) -> None:
        """Take over the weights of the baseline's networks."""
        method = self.game.system.method
        if isinstance(baseline, Pix2PixGame):
            method.generator.load_state_dict(baseline.generator.state_dict())
            method.discriminator.load_state_dict(baseline.critic.state_dict())
            return
        method.generators["source_to_target"].load_state_dict(baseline.to_target.state_dict())
        method.generators["target_to_source"].load_state_dict(baseline.to_source.state_dict())
        method.discriminators["source"].load_state_dict(baseline.of_source.state_dict())
        method.discriminators["target"].load_state_dict(baseline.of_target.state_dict())

    @contextmanager
    def clocked(self) -> Iterator[Counter[str]]:
        """Add up the seconds that parts of steps take meanwhile; the rest is what the system takes around them."""
        system = self.game.system
        places = [(system.method, "forward", "forward"), (system, "_losses", "forward")]
        places += [(system, "manual_backward", "backward"), (system, "_step", "optimizer")]
        with timed(places) as found:
            yield found


def resolved(config: Any) -> str:
    """The precision that `auto` means on this machine."""
    from hydra.utils import instantiate

    precision: str = instantiate(config.trainer).resolved_precision()
    return precision


class _Seen(Nobody):
    """Keeps the losses of a step."""

    def __init__(self) -> None:
        self.terms: dict[str, Tensor] = {}

    def losses(self, player: str, losses: Losses) -> None:
        """Keep them, without their graphs."""
        self.terms |= {name: loss.detach() for name, loss in losses.items()}
