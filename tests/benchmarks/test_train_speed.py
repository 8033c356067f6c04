"""The baseline is what it says it is, and ganstyle's arms do the same mathematics."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from benchmarks.train import incumbent
from benchmarks.train.incumbent import FORWARDS, PARAMETERS, CycleGANGame, Pix2PixGame
from benchmarks.train.ours import Arm
from benchmarks.train.parts import split
from benchmarks.train_speed import flops_of, loading
from ganstyle.nn.patchgan import PatchGAN
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet
from ganstyle.types import Batch

SMALL = {
    "pix2pix": ("generator.depth=4", "generator.channels=4", "discriminator.channels=4", "data.size=32"),
    "cyclegan": ("generator.blocks=1", "generator.channels=4", "discriminator.channels=4", "data.size=32"),
}


def baseline(recipe: str) -> Any:
    torch.manual_seed(0)
    if recipe == "pix2pix":
        return Pix2PixGame(UNet(depth=4, channels=4), PatchGAN(in_channels=6, channels=4, norm="batch"))
    generators = (ResNet(blocks=1, channels=4) for _ in range(2))
    return CycleGANGame(*generators, *(PatchGAN(channels=4) for _ in range(2)))


def batch_of(size: int, side: int = 32) -> Batch:
    source, target = (torch.rand(2 * size, 3, side, side) * 2 - 1).chunk(2)
    return {"source": source, "target": target, "seed": torch.arange(size)}


def networks(game: Any) -> dict[str, list[nn.Module]]:
    kinds = {"generator": (UNet, ResNet), "critic": (PatchGAN,)}
    return {kind: [each for each in vars(game).values() if isinstance(each, types)] for kind, types in kinds.items()}


def test_the_papers_networks_have_the_published_numbers_of_parameters() -> None:
    made = {
        "unet256": UNet(),
        "resnet9": ResNet(),
        "patchgan of pairs": PatchGAN(in_channels=6, norm="batch"),
        "patchgan": PatchGAN(),
    }
    assert {name: sum(p.numel() for p in network.parameters()) for name, network in made.items()} == PARAMETERS


@pytest.mark.parametrize("recipe", sorted(SMALL))
def test_a_step_of_the_baseline_asks_networks_as_often_as_published(recipe: str) -> None:
    game, calls = baseline(recipe), Counter[str]()
    for kind, members in networks(game).items():
        for member in members:
            member.register_forward_hook(lambda *_, kind=kind: calls.update([kind]))
    game.step(batch_of(2))
    assert calls == FORWARDS[recipe]


@pytest.mark.parametrize("recipe", sorted(SMALL))
def test_one_step_from_equal_weights_has_the_baselines_losses_and_leaves_its_weights(recipe: str) -> None:
    game, arm, batch = baseline(recipe), Arm(recipe, 2, "32", SMALL[recipe]), batch_of(2)
    arm.like(game)
    for number in range(2):  # the second step sees what the first one learned
        torch.manual_seed(number)
        wanted = game.step(batch)
        torch.manual_seed(number)
        found = arm.step(batch)
        assert found.keys() == wanted.keys()
        for name, loss in wanted.items():
            assert float(found[name]) == pytest.approx(float(loss), rel=1e-3), (number, name)


@pytest.mark.parametrize("recipe", sorted(SMALL))
def test_where_the_time_goes_adds_up(recipe: str) -> None:
    game, arm, batch = baseline(recipe), Arm(recipe, 1, "32", SMALL[recipe]), batch_of(1)
    for subject, clocked in ((game, incumbent.clocked(game)), (arm, arm.clocked())):
        seconds = split(partial(subject.step, batch), clocked, steps=1)
        whole = seconds.pop("whole")
        assert {"backward", "optimizer", "rest"} <= seconds.keys() <= {"forward", "backward", "optimizer", "rest"}
        assert min(seconds.values()) >= 0
        assert sum(seconds.values()) == pytest.approx(whole, abs=3e-4)  # each is rounded
        subject.step(batch)  # as before


def test_operations_are_counted() -> None:
    game = baseline("pix2pix")
    assert flops_of(game.step, batch_of(2)) == pytest.approx(2 * flops_of(game.step, batch_of(1)), rel=0.2)


@pytest.mark.slow
def test_loading_a_pair_is_timed_by_the_incumbents_way_and_by_ours() -> None:
    found = loading(count=4, rounds=1)
    assert len(found) == 4
    assert next(iter(found)).startswith("incumbent")
    assert all(milliseconds > 0 for milliseconds in found.values())
