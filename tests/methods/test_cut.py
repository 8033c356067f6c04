from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganstyle.errors import ConfigError
from ganstyle.methods.cut import CUT
from ganstyle.nn.light import Light
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet
from ganstyle.types import Batch

Tiny = Callable[..., CUT]


def test_a_head_takes_the_channels_that_its_tap_declares(tiny: Tiny) -> None:
    cut = tiny("cut", width=7)
    channels = cut.translation.generator.feature_channels
    shapes = {tap: (head[0].in_features, head[-1].out_features) for tap, head in cut.translation.heads.items()}
    assert shapes == {tap: (channels[tap], 7) for tap in ("image", "down1", "down2", "block1", "block5")}


@pytest.mark.parametrize(
    "generator", [UNet(depth=2, channels=2, norm="instance"), ResNet(blocks=1, channels=2), Light(blocks=1, channels=4)]
)
def test_without_names_all_taps_of_any_generator_are_compared(
    generator: UNet | ResNet | Light, tiny: Tiny, batch: Batch
) -> None:
    discriminator = tiny("cut").discriminator
    cut = CUT(generator, discriminator, adversarial="lsgan", patches=8, width=4)
    assert cut.translation.taps == tuple(generator.feature_channels)
    (player,) = (player for player in cut.players if player.name == "generator")
    assert player.losses(cut(batch))["nce"].isfinite()


def test_an_unknown_tap_is_refused_with_the_nearest_name(tiny: Tiny) -> None:
    with pytest.raises(ConfigError, match=r"unknown tap 'block55'; did you mean 'block5'\?"):
        tiny("cut", taps=["image", "block55"])


def test_the_generators_to_keep_have_no_heads(tiny: Tiny) -> None:
    cut = tiny("cut")
    assert list(cut.generators) == ["generator"]
    assert not any(isinstance(layer, nn.Linear) for layer in cut.generators["generator"].modules())


def test_fastcut_mirrors_about_half_the_images_while_it_trains_and_none_else(tiny: Tiny) -> None:
    fastcut = tiny("fastcut")
    images = torch.zeros(64, 3, 8, 8)
    batch: Batch = {"source": images, "target": images, "seed": torch.arange(64)}
    with torch.no_grad():
        assert 16 < fastcut(batch).mirrored.sum() < 48
        assert not fastcut.eval()(batch).mirrored.any()
        assert not tiny("cut")(batch).mirrored.any()


class Pointwise(Light):
    """A generator that looks at one pixel at a time, so a mirrored image becomes the mirrored result."""

    def __init__(self) -> None:
        super().__init__(blocks=1, channels=4)
        self.color = nn.Conv2d(3, 3, 1)
        self.feature_channels = {"image": 3, "color": 3}

    def forward(self, image: Tensor, style: object = None) -> Tensor:
        return torch.tanh(self.color(image))

    def features(self, image: Tensor, taps: object, style: object = None) -> dict[str, Tensor]:
        return {"image": image, "color": self.color(image)}


def nce(cut: CUT, batch: Batch) -> Any:
    outputs = cut(batch)
    losses = next(player.losses(outputs) for player in cut.players if player.name == "generator")
    return outputs.mirrored, losses["nce"]


def test_features_of_a_mirrored_image_are_compared_in_the_places_where_they_were(tiny: Tiny, batch: Batch) -> None:
    generator, discriminator = Pointwise(), tiny("cut").discriminator
    cut = CUT(generator, discriminator, adversarial="lsgan", patches=8, width=4, mirror=True).double()
    seeds = torch.arange(8).view(4, 2)
    doubles = [Batch(source=batch["source"].double(), target=batch["target"].double(), seed=seed) for seed in seeds]
    tossed = [nce(cut.train(), each) for each in doubles]
    straight = [nce(cut.eval(), each) for each in doubles]
    assert any(mirrored.any() for mirrored, _ in tossed)
    for (_, one), (_, other) in zip(tossed, straight, strict=True):
        torch.testing.assert_close(one, other)


def test_places_are_drawn_anew_for_every_image(tiny: Tiny, batch: Batch) -> None:
    cut = tiny("cut", patches=4)
    again: Batch = {**batch, "seed": batch["seed"] + 1}
    assert nce(cut, batch)[1] == nce(cut, batch)[1]
    assert nce(cut, batch)[1] != nce(cut, again)[1]


def test_more_patches_than_there_are_places_means_all_of_them(tiny: Tiny, batch: Batch) -> None:
    every, more = tiny("cut", patches=480, taps=["image"]), tiny("cut", patches=999, taps=["image"])
    more.load_state_dict(every.state_dict())
    assert nce(every, batch)[1] == nce(more, batch)[1]
