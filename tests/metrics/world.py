"""A world of small pictures in which a painter is known, and a judge that is quick."""

import torch
from torch import Tensor

from ganstyle.metrics.evidence import Subject
from ganstyle.metrics.judge import Judge
from ganstyle.metrics.protocol import Protocol
from ganstyle.metrics.sets import References, Sources, as_bytes
from ganstyle.metrics.style import StyleScore
from ganstyle.types import Image

SIDE, PHOTOGRAPHS, PAINTINGS = 16, 20, 24


def photographs(count: int, seed: int) -> Image:
    """Soft random pictures."""
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, SIDE, mode="bilinear") - 0.5


def painted(image: Image, number: int = 0) -> Image:
    """The painter: a warmer palette and a stripe in every second row, which no recoloring makes."""
    stripes = torch.tensor([0.2, -0.2]).repeat(SIDE // 2)[:, None]
    return (0.6 * image + torch.tensor([0.2, 0.0, -0.2])[:, None, None] + stripes).clamp(-1, 1)


def untouched(image: Image, number: int) -> Image:
    """Who does nothing."""
    return image


def likeness(source: Image, result: Image) -> Tensor:
    """Correlation of two pictures that have been blurred."""
    one, other = (torch.nn.functional.avg_pool2d(image, 4).flatten(1) for image in (source, result))
    one, other = one - one.mean(1, keepdim=True), other - other.mean(1, keepdim=True)
    return (one * other).sum(1) / (one.norm(dim=1) * other.norm(dim=1)).clamp_min(1e-6)


def palette(image: Image) -> Tensor:
    return image.mean(dim=(2, 3))


def texture(image: Image) -> Tensor:
    return (image[:, :, 1:] - image[:, :, :-1]).abs().mean(dim=(2, 3))


def apart(results: Tensor, references: Tensor) -> float:
    return float((results.mean(0) - references.mean(0)).norm())


JUDGE = Judge(
    "none but pixels",
    "ab" * 32,
    {"edge_correlation": likeness},
    (StyleScore("color", palette, apart), StyleScore("gabor", texture, apart)),
)
SOURCES = Sources("world, test", tuple(f"p{n:02d}" for n in range(PHOTOGRAPHS)), as_bytes(photographs(PHOTOGRAPHS, 0)))
REFERENCES = References(
    "all paintings of the world", as_bytes(painted(photographs(PAINTINGS, 1))), torch.arange(PAINTINGS)
)
PROTOCOL = Protocol(
    data=SOURCES.name,
    sources=PHOTOGRAPHS,
    reference=REFERENCES.name,
    paintings=PAINTINGS,
    crops=PAINTINGS,
    reference_sha256=REFERENCES.sha256,
    size=SIDE,
    resize="none",
    features=JUDGE.features,
    features_sha256=JUDGE.features_sha256,
    weights="ema",
    dropout="none",
    normalization="none",
    seed=0,
    commit="0123456789ab",
    versions=(("torch", torch.__version__),),
)
PAINTER = Subject("painter", painted, PROTOCOL)
IDLER = Subject("idler", untouched, PROTOCOL)
