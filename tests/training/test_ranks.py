"""Two ranks compute what one process with the doubled batch computes, where the mathematics says so."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from methods.conftest import CLASSES, build, recipe
from torch import distributed, multiprocessing
from training.bench import Bench, batch

from ganstyle.training.system import System
from ganstyle.types import Batch

STEPS, IMAGES = 3, 4
OFF = {"cyclegan": {"pool_size": 0}, "perceptual_gan": {"style_target": "each"}}
"""What looks at the other images of a batch, or back."""


def game(method: str) -> Bench:
    """The method in double precision, as its YAML weighs it."""
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.999))
    subject = System(
        build(method, **OFF.get(method, {})),
        {"generator": adam, "discriminator": adam},
        recipe(method)["weights"],
        total_images=100,
        epoch_images=50,
        ema=10,
        clip=1.0,
    )
    return Bench(subject.double())


def share(number: int, rank: int, ranks: int) -> Batch:
    """One rank's consecutive images of a step, in double precision."""
    whole: Any = batch(number * IMAGES, IMAGES)
    part = slice(rank * IMAGES // ranks, (rank + 1) * IMAGES // ranks)
    half: Any = {key: value[part] for key, value in whole.items()}
    return {**half, "source": half["source"].double(), "target": half["target"].double()}


def play(method: str, rank: int = 0, ranks: int = 1) -> dict[str, torch.Tensor]:
    bench = game(method)
    for number in range(STEPS):
        bench.step(share(number, rank, ranks))
    averages: dict[str, torch.Tensor] = bench.system.averages.state_dict()
    return {**bench.system.method.state_dict(), **{f"ema.{name}": mean for name, mean in averages.items()}}


def play_as_rank(rank: int, folder: Path) -> None:
    """What each process does: every method in turn."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    torch.save({method: play(method, rank, 2) for method in CLASSES}, folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("ranks")
    multiprocessing.spawn(play_as_rank, (folder,), nprocs=2)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("method", CLASSES)
def test_two_ranks_equal_one_process_with_the_doubled_batch(ranks: list[dict[str, Any]], method: str) -> None:
    alone = play(method)
    first, second = (rank[method] for rank in ranks)
    assert first.keys() == second.keys() == alone.keys()
    for name, tensor in alone.items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], tensor, rtol=1e-7, atol=1e-9, msg=lambda text, n=name: f"{n}: {text}")


@pytest.mark.slow
@pytest.mark.parametrize("method", CLASSES)
def test_the_images_of_both_ranks_matter(ranks: list[dict[str, Any]], method: str) -> None:
    half = game(method)
    for number in range(STEPS):
        half.step(share(number, 0, 2))
    moved = half.system.method.state_dict()
    assert any(not torch.allclose(ranks[0][method][name], tensor) for name, tensor in moved.items())
