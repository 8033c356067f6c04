"""Two ranks that average gradients in every way that `benchmarks.scaling` compares."""

from pathlib import Path

import torch
from torch import distributed

from benchmarks.train.ours import Arm
from benchmarks.train.reductions import WAYS
from ganstyle.types import Batch

SMALL = {
    "pix2pix": ("generator.depth=4", "generator.channels=4", "discriminator.channels=4", "data.size=32"),
    "cyclegan": ("generator.blocks=1", "generator.channels=4", "discriminator.channels=4", "data.size=32"),
}
STEPS = 2


def batch_of(number: int) -> Batch:
    source, target = torch.rand(2, 1, 3, 32, 32, generator=torch.Generator().manual_seed(number)) * 2 - 1
    return {"source": source, "target": target, "seed": torch.arange(1)}


def weights(recipe: str, way: str, rank: int) -> list[torch.Tensor]:
    """What is learned; dropout draws alike in every way."""
    stepping = WAYS[way](Arm(recipe, 1, "32", SMALL[recipe]))
    for number in range(STEPS):
        torch.manual_seed(10 * number + rank)
        stepping.step(batch_of(2 * number + rank))
    return [parameter.detach() for parameter in stepping.system.method.parameters()]


def step_as_rank(rank: int, folder: Path) -> None:
    """What each process does: every way in turn."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    found = {recipe: {way: weights(recipe, way, rank) for way in WAYS} for recipe in SMALL}
    torch.save(found, folder / f"{rank}.pt")
    distributed.destroy_process_group()
