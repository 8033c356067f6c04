"""Every method with networks so small that a step takes milliseconds."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from ganstyle.methods.base import Method
from ganstyle.methods.cut import CUT
from ganstyle.methods.cyclegan import CycleGAN
from ganstyle.methods.distill import Distill
from ganstyle.methods.perceptual_gan import PerceptualGAN
from ganstyle.methods.pix2pix import Pix2Pix
from ganstyle.nn.light import Light
from ganstyle.nn.patchgan import MultiScale, PatchGAN
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.vgg import Perceptual
from ganstyle.nn.vgg_weights import Kernel, Weights, imagenet_color
from ganstyle.types import Batch

CONF = Path(__file__).resolve().parents[2] / "conf" / "method"
CLASSES: Mapping[str, type[Method[Any]]] = {
    "pix2pix": Pix2Pix,
    "cyclegan": CycleGAN,
    "cut": CUT,
    "fastcut": CUT,
    "perceptual_gan": PerceptualGAN,
    "distill": Distill,
}
GAMES = [name for name in CLASSES if name != "distill"]
"""Methods of two players, without a choice."""
NODES = {"generator", "discriminator", "perceptual"}


def tiny_generator() -> nn.Module:
    return ResNet(blocks=5, channels=2)


def tiny_perceptual() -> Perceptual:
    """Random orthogonal features of four channels, down to relu4_1."""
    names = ["conv1_1", "conv1_2", "conv2_1", "conv2_2", *(f"conv3_{n}" for n in range(1, 5)), "conv4_1"]
    widths = [3, *([4] * len(names))]
    kernels = {
        name: Kernel(nn.init.orthogonal_(torch.empty(outputs, inputs, 3, 3), 2.0), torch.zeros(outputs))
        for name, (inputs, outputs) in zip(names, pairwise(widths), strict=True)
    }
    return Perceptual(Weights("tiny", kernels, imagenet_color(), "zeros"))


def tiny_discriminator(method: str) -> nn.Module:
    if method == "perceptual_gan":
        return MultiScale(scales=2, channels=4, layers=1)
    return PatchGAN(in_channels=6 if method == "pix2pix" else 3, channels=4, layers=2)


def recipe(method: str) -> dict[str, Any]:
    """The `system` node of the method's YAML, networks left out."""
    node = OmegaConf.to_container(OmegaConf.load(CONF / f"{method}.yaml").system)
    assert isinstance(node, dict)
    return node


def knobs(method: str) -> dict[str, Any]:
    """What the YAML sets besides networks."""
    arguments = recipe(method)["method"]
    return {name: value for name, value in arguments.items() if "${" not in str(value) and name != "_target_"}


def build(method: str, **changed: Any) -> Method[Any]:
    """Build a method from its YAML, with tiny networks and some knobs changed."""
    made = {
        "${generator}": tiny_generator,
        "${discriminator}": lambda: tiny_discriminator(method),
        "${perceptual}": tiny_perceptual,
    }
    arguments = recipe(method)["method"].items()
    networks = {name: made[value]() for name, value in arguments if isinstance(value, str) and value in made}
    small: dict[str, Any] = {
        CUT: {"patches": 16, "width": 8},
        PerceptualGAN: {"identity_every": 1, "remembered": 0},
        Distill: {"generator": partial(Light, blocks=2, channels=4), "teacher": tiny_generator},
    }.get(CLASSES[method], {})
    fresh = {n: v() if isinstance(v, partial) or v is tiny_generator else v for n, v in (small | changed).items()}
    return CLASSES[method](**(networks | knobs(method) | fresh))


VARIANTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in CLASSES},
    "pix2pix with every option": ("pix2pix", {"feature_matching": True, "r1": True, "adversarial": "wgan_gp"}),
    "cyclegan without identity": ("cyclegan", {"identity": False, "r1": True, "adversarial": "wgan_gp"}),
    "cut with penalties": ("cut", {"r1": True, "adversarial": "wgan_gp"}),
    "perceptual_gan with every style": (
        "perceptual_gan",
        {
            "style": ["gram", "moments", "bands", "patches"],
            "style_target": "each",
            "r1": True,
            "adversarial": "wgan_gp",
        },
    ),
    "distill with a discriminator": ("distill", {"discriminator": partial(PatchGAN, channels=4, layers=2)}),
    "distill by pictures alone": ("distill", {"taps": {}}),
    "perceptual_gan with the nearest target": ("perceptual_gan", {"style_target": "nearest", "identity_every": 0}),
}


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def method(variant: str) -> Method[Any]:
    name, changed = VARIANTS[variant]
    return build(name, **changed)


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(3)
    source, target = (torch.rand(2, 3, 20, 24, generator=generator) * 2 - 1 for _ in range(2))
    return {"source": source, "target": target, "seed": torch.tensor([100, 101])}


@pytest.fixture(params=GAMES)
def name(request: pytest.FixtureRequest) -> str:
    """The name of a YAML in conf/method."""
    return str(request.param)


@pytest.fixture
def tiny() -> Callable[..., Method[Any]]:
    return build


@pytest.fixture
def written() -> Callable[[str], dict[str, Any]]:
    return recipe


@pytest.fixture
def play() -> Callable[..., None]:
    """A bare training loop: every player moves once on every batch, weighted as the YAML says."""

    def run(method: Method[Any], weights: dict[str, dict[str, float]], batches: Any, lr: float = 2e-3) -> None:
        players = method.players
        optimizers = [torch.optim.Adam(player.network.parameters(), lr, (0.5, 0.99)) for player in players]
        for batch in batches:
            outputs = method(batch)
            for player, optimizer in zip(players, optimizers, strict=True):
                optimizer.zero_grad()
                terms = player.losses(outputs)
                total: Tensor = torch.stack([weights[player.name][name] * term for name, term in terms.items()]).sum()
                total.backward(inputs=list(player.network.parameters()))
                optimizer.step()

    return run
