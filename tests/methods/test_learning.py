"""Every method learns: a bare loop over tiny networks, in seconds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganstyle.methods.base import Method
from ganstyle.nn.patchgan import Pixel
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.vgg import perceptual
from ganstyle.types import Batch, Losses

SIDE = 16


def scenes(count: int, seed: int) -> Tensor:
    """Smooth random scenes in [-1, 1], warm: red above green above blue."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 4, 4, generator=generator)
    levels = torch.tensor([0.3, -0.1, -0.5])[:, None, None]
    smooth = torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    return (smooth - 0.5) * 1.2 + levels


def cold(scenes: Tensor) -> Tensor:
    """The known answer: the same scene with red and blue exchanged."""
    return scenes.flip(1)


def dusk(scenes: Tensor) -> Tensor:
    """The same scene, darker and blue."""
    return 0.6 * scenes + torch.tensor([-0.5, -0.1, 0.5])[:, None, None]


def batches(steps: int, *, paired: bool, size: int = 4, answer: Callable[[Tensor], Tensor] = cold) -> Iterator[Batch]:
    for step in range(steps):
        source = scenes(size, 2 * step)
        target = answer(source if paired else scenes(size, 2 * step + 1))
        yield {"source": source, "target": target, "seed": torch.arange(size) + step * size}


def mistake(generator: nn.Module) -> float:
    """Mean distance to the known answer on scenes never seen; doing nothing makes 0.53, the mean color 0.21."""
    held_out = scenes(16, 10**6)
    with torch.no_grad():
        return (generator(held_out) - cold(held_out)).abs().mean().item()


class Palette(ResNet):
    """The least generator that can change colors: two 1 x 1 convolutions."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.hidden = nn.Conv2d(3, 16, 1)
        self.color = nn.Conv2d(16, 3, 1)
        self.feature_channels = {"image": 3, "hidden": 16}

    def forward(self, image: Tensor, style: object = None) -> Tensor:
        return torch.tanh(self.color(self.features(image, ["hidden"])["hidden"]))

    def features(self, image: Tensor, taps: Sequence[str], style: object = None) -> dict[str, Tensor]:
        found = {"image": image, "hidden": nn.functional.leaky_relu(self.hidden(image), 0.2)}
        return {name: found[name] for name in taps}


def critic(channels: int = 3) -> Pixel:
    """A discriminator of colors that starts from torch's own, larger weights: it learns within a hundred steps."""
    network = Pixel(in_channels=channels, channels=16, norm="none")
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.reset_parameters()
    return network


Tiny = Callable[..., Method[Any]]
Written = Callable[[str], dict[str, Any]]
Play = Callable[..., None]


def test_doing_nothing_and_the_mean_color_are_far_from_the_known_answer() -> None:
    answers = cold(scenes(16, 10**6))
    assert mistake(nn.Identity()) > 0.5
    assert (answers - answers.mean((0, 2, 3), keepdim=True)).abs().mean() > 0.2


def test_pix2pix_learns_the_known_answer_from_pairs(tiny: Tiny, written: Written, play: Play) -> None:
    method = tiny("pix2pix", generator=Palette(), discriminator=critic(6))
    play(method, written("pix2pix")["weights"], batches(80, paired=True), lr=1e-2)
    assert mistake(method.generators["generator"]) < 0.06


def test_cyclegan_learns_both_directions_without_pairs(tiny: Tiny, written: Written, play: Play) -> None:
    generators = {"source_to_target": Palette(), "target_to_source": Palette()}
    critics = {"source_discriminator": critic(), "target_discriminator": critic()}
    method = tiny("cyclegan", **generators, **critics)
    play(method, written("cyclegan")["weights"], batches(150, paired=False), lr=1e-2)
    held_out = scenes(16, 10**6)
    with torch.no_grad():
        back = generators["target_to_source"](cold(held_out))
    assert mistake(generators["source_to_target"]) < 0.12
    assert (back - held_out).abs().mean() < 0.12


@pytest.mark.parametrize(("name", "most", "lr"), [("cut", 0.15, 1e-2), ("fastcut", 0.25, 5e-3)])
def test_cut_learns_the_known_answer_without_pairs(
    name: str, most: float, lr: float, tiny: Tiny, written: Written, play: Play
) -> None:
    method = tiny(name, generator=Palette(), discriminator=critic(), taps=None, patches=64, width=16)
    play(method, written(name)["weights"], batches(150, paired=False), lr=lr)
    assert mistake(method.generators["generator"]) < most


def test_perceptual_gan_takes_on_the_collection_s_colors_and_keeps_what_is_shown(
    tiny: Tiny, written: Written, play: Play
) -> None:
    networks = {"generator": Palette(), "discriminator": critic(), "perceptual": perceptual()}
    method = tiny("perceptual_gan", style=["gram", "moments"], **networks)  # 1 x 1 convolutions have no say in bands
    weights = written("perceptual_gan")["weights"]
    del weights["generator"]["style_bands"]
    batch = next(batches(1, paired=True, size=8, answer=dusk))
    untouched = losses(method, replace(method(batch), fake=batch["source"]))
    unrelated = losses(method, replace(method(batch), fake=dusk(scenes(8, 10**6))))
    play(method, weights, batches(150, paired=False, answer=dusk), lr=2e-2)
    after = losses(method, method(batch))
    assert after["style"] < untouched["style"] / 2
    assert after["content"] < 0.7 * unrelated["content"]
    assert (method(batch).fake - batch["target"]).abs().mean() < 0.2  # untouched 0.47


def losses(method: Method[Any], outputs: Any) -> Losses:
    return next(player.losses(outputs) for player in method.players if player.name == "generator")
