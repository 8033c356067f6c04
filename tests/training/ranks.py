"""A game of every method that two processes play as one; a process can import this, but not a test's own module."""

from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from methods.conftest import CLASSES, build, recipe
from torch import distributed
from training.bench import Bench, batch
from training.tape import instead_of_cuda

from ganstyle.training import distributed as talk
from ganstyle.training.passes import WARM_UP, Graphs, Passes
from ganstyle.training.system import System
from ganstyle.types import Batch

STEPS, IMAGES = 3, 4
REPLAYED = WARM_UP + 3
"""Steps of which some are launched as graphs."""
OFF = {"cyclegan": {"pool_size": 0}, "perceptual_gan": {"style_target": "each"}}
"""What looks at the other images of a batch, or back."""


def game(method: str, accumulate: int = 1) -> Bench:
    """The method in double precision, as its YAML weighs it."""
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.999))
    weights = recipe(method)["weights"]
    subject = System(
        build(method, **OFF.get(method, {})),
        dict.fromkeys(weights, adam),
        weights,
        total_images=100,
        epoch_images=50,
        ema=10,
        accumulate=accumulate,
        clip=1.0,
    )
    return Bench(subject.double())


def share(number: int, rank: int, ranks: int) -> Batch:
    """One rank's consecutive images of a step, in double precision."""
    whole: Any = batch(number * IMAGES, IMAGES)
    part = slice(rank * IMAGES // ranks, (rank + 1) * IMAGES // ranks)
    half: Any = {key: value[part] for key, value in whole.items()}
    return {**half, "source": half["source"].double(), "target": half["target"].double()}


def play(
    method: str, rank: int = 0, ranks: int = 1, *, steps: int = STEPS, passes: Passes | None = None
) -> dict[str, torch.Tensor]:
    bench = game(method)
    bench.system.passes = passes or bench.system.passes
    for number in range(steps):
        bench.step(share(number, rank, ranks))
    averages: dict[str, torch.Tensor] = bench.system.averages.state_dict()
    return {**bench.system.method.state_dict(), **{f"ema.{name}": mean for name, mean in averages.items()}}


def messages(accumulate: int, batches: int, rank: int) -> list[list[int]]:
    """The sizes of the tensors that are reduced in each batch, of a method of two players."""
    bench, sizes = game("pix2pix", accumulate), list[list[int]]()
    real = distributed.all_reduce

    def counted(tensor: torch.Tensor, *words: Any, **options: Any) -> Any:
        sizes[-1].append(tensor.numel())
        return real(tensor, *words, **options)

    with patch.object(distributed, "all_reduce", counted):
        for number in range(batches):
            sizes.append([])
            bench.step(share(number, rank, 2))
    return sizes


def in_pieces(rank: int) -> dict[str, Any]:
    """What is learned from gradients that travel in small messages, and how many went out before each pass ended."""
    early: list[int] = []
    finish = talk._Messages.finish

    def counted(messages: Any) -> None:
        early.append(len(messages._sent))
        finish(messages)

    with (
        patch.object(talk, "MESSAGE", 2048),
        patch.object(talk._Messages, "finish", counted),
    ):
        return {"learned": play("cyclegan", rank, 2), "early": early}


def play_as_rank(rank: int, folder: Path) -> None:
    """What each process does: every method in turn."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    told: dict[str, Any] = {method: play(method, rank, 2) for method in CLASSES}
    told |= {"eager": play("cyclegan", rank, 2, steps=REPLAYED)}
    with pytest.MonkeyPatch.context() as patched:
        instead_of_cuda(patched)
        told |= {"graphs": play("cyclegan", rank, 2, steps=REPLAYED, passes=Graphs())}
    torch.save(told | {"messages": messages(3, 7, rank), "in pieces": in_pieces(rank)}, folder / f"{rank}.pt")
    distributed.destroy_process_group()
