from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganstyle.errors import ConfigError
from ganstyle.methods.distill import Distill, matching_taps
from ganstyle.nn.generator import observed
from ganstyle.nn.light import Light
from ganstyle.nn.patchgan import PatchGAN
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.transform_net import TransformNet
from ganstyle.nn.unet import UNet
from ganstyle.nn.vgg import perceptual
from ganstyle.types import Batch

Tiny = Callable[..., Distill]
Written = Callable[[str], dict[str, Any]]
Play = Callable[..., None]


def test_a_recipe_weighs_exactly_its_terms(tiny: Tiny, written: Written) -> None:
    (player,) = tiny("distill").players
    assert set(player.terms) == set(written("distill")["weights"]["generator"])
    added = written("distill_gan")["weights"]
    both = {player.name: player.terms for player in tiny("distill", discriminator=PatchGAN(channels=4)).players}
    assert set(added["discriminator"]) == set(both["discriminator"])
    assert set(both["generator"]) == {*player.terms, *added["generator"]}


@pytest.mark.parametrize(
    "network", [ResNet(blocks=2, channels=4), Light(blocks=2, channels=4), UNet(depth=2, channels=4, dropout=0.0)]
)
def test_what_is_observed_is_what_the_network_paints_and_its_features(network: Light, batch: Batch) -> None:
    taps = [tap for tap in network.feature_channels if tap != "image"][:3]
    picture, seen = observed(network.eval(), batch["source"], taps)
    torch.testing.assert_close(picture, network(batch["source"]))
    for tap, activations in network.features(batch["source"], taps).items():
        torch.testing.assert_close(seen[tap], activations)
    assert not any(stage._forward_hooks for stage in network.modules())


def test_an_unknown_tap_is_refused_and_leaves_nothing_behind(tiny: Tiny, batch: Batch) -> None:
    network = Light(blocks=1, channels=4)
    with pytest.raises(ConfigError, match="unknown tap 'block7'"):
        observed(network, batch["source"], ["stem", "block7"])
    assert not any(stage._forward_hooks for stage in network.modules())
    with pytest.raises(ConfigError, match="unknown tap of the teacher 'blok1'"):
        tiny("distill", taps={"stem": "blok1"})
    with pytest.raises(ConfigError, match="unknown tap of the student 'blok1'"):
        tiny("distill", taps={"blok1": "stem"})


def test_taps_of_one_name_and_the_middle_and_last_blocks_are_paired() -> None:
    student = Light(blocks=6, channels=4)
    same = {"stem": "stem", "down1": "down1", "down2": "down2"}
    assert matching_taps(student, ResNet(blocks=9, channels=4)) == same | {"block3": "block5", "block6": "block9"}
    assert matching_taps(student, UNet(depth=3, channels=4)) == {"down1": "down1", "down2": "down2"}
    assert matching_taps(student, TransformNet()) == {}


def test_the_teacher_stays_as_it_is_and_paints_as_it_does_for_users(tiny: Tiny, batch: Batch) -> None:
    teacher = ResNet(blocks=5, channels=2, dropout=0.5)
    method = tiny("distill", teacher=teacher).train()
    assert not any(module.training for module in teacher.modules())
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert torch.equal(method(batch).target, teacher(batch["source"]))
    assert "teacher" not in dict(method.generators)


def scenes(steps: int, size: int = 4) -> Iterator[Batch]:
    for step in range(steps):
        coarse = torch.rand(size, 3, 3, 3, generator=torch.Generator().manual_seed(step)) * 2 - 1
        source = nn.functional.interpolate(coarse, size=(16, 16), mode="bicubic").clamp(-1, 1)
        yield {"source": source, "target": source, "seed": torch.arange(size) + step * size}


class Negative(nn.Module):
    """A teacher with a known manner: it exchanges light and dark, without taps."""

    def forward(self, image: Tensor) -> Tensor:
        return -0.8 * image


def test_a_student_learns_to_paint_as_its_teacher_does(written: Written, play: Play) -> None:
    student = Light(blocks=1, channels=8, color_skip=True)
    method = Distill(student, Negative(), perceptual(), layers={"relu1_1": 1.0})
    assert [player.terms for player in method.players] == [("l1", "perceptual", "style")]
    held_out = next(scenes(1, 8))["source"]
    before = (student(held_out) + 0.8 * held_out).abs().mean().item()
    play(method, written("distill")["weights"], scenes(100), lr=5e-3)
    after = (student(held_out) + 0.8 * held_out).abs().mean().item()
    assert before > 0.4
    assert after < 0.4 * before
