"""The public code's networks as their papers and documents describe them: rows of PyTorch's layers, with their names.

Written for these tests, to compute what imported networks are compared with.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "instance": nn.InstanceNorm2d,
    "batch": nn.BatchNorm2d,
    "batch without statistics": partial(nn.BatchNorm2d, track_running_stats=False),
}


class Held(nn.Module):
    """A row of layers under a name."""

    def __init__(self, name: str, *layers: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.add_module(name, nn.Sequential(*layers))

    def forward(self, x: Tensor) -> Tensor:
        return self.get_submodule(self.name)(x)


class Wrapped(nn.Module):
    """A network that calls another one its model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class Added(Held):
    """A row of layers beside an identity."""

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class Joined(Held):
    """A row of layers, and what it was given."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.clone()
        return torch.cat([x, super().forward(x)], dim=1)


class Halved(nn.Module):
    """Every second pixel of the map blurred by (1, 2, 1) / 4 along both axes, mirrored at the edge."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("filt", (line[:, None] * line).expand(channels, 1, 3, 3).clone())

    def forward(self, x: Tensor) -> Tensor:
        blurred = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), self.get_buffer("filt"), groups=x.shape[1])
        return blurred[..., ::2, ::2]


class Doubled(nn.Module):
    """Zeros put between the pixels of a map whose edge is repeated, then (1, 3, 3, 1) / 4 along both axes."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor([0.25, 0.75, 0.75, 0.25])
        self.register_buffer("filt", (line[:, None] * line).expand(channels, 1, 4, 4).clone())

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
        spread = F.conv_transpose2d(padded, self.get_buffer("filt"), stride=2, groups=x.shape[1])
        return spread[..., 3:-3, 3:-3]


def resnet(blocks: int, channels: int, norm: str, *, drops: bool = False, down: bool = False, up: bool = False) -> Held:
    make, bias = NORMS[norm], norm == "instance"

    def convolution(inputs: int, outputs: int, kernel: int = 3, **options: int) -> nn.Conv2d:
        return nn.Conv2d(inputs, outputs, kernel, bias=bias, **options)

    def block(width: int) -> Added:
        first = [nn.ReflectionPad2d(1), convolution(width, width), make(width), nn.ReLU(), *[nn.Dropout(0.5)] * drops]
        return Added("conv_block", *first, nn.ReflectionPad2d(1), convolution(width, width), make(width))

    def halving(width: int) -> list[nn.Module]:
        convolve = convolution(width, 2 * width, stride=1 if down else 2, padding=1)
        return [convolve, make(2 * width), nn.ReLU(), *([Halved(2 * width)] if down else [])]

    def doubling(width: int) -> list[nn.Module]:
        half = width // 2
        across = nn.ConvTranspose2d(width, half, 3, stride=2, padding=1, output_padding=1, bias=bias)
        enlarge = [Doubled(width), convolution(width, half, padding=1)] if up else [across]
        return [*enlarge, make(half), nn.ReLU()]

    stem = [nn.ReflectionPad2d(3), convolution(3, channels, 7), make(channels), nn.ReLU()]
    middle = [block(4 * channels) for _ in range(blocks)]
    end = [nn.ReflectionPad2d(3), nn.Conv2d(channels, 3, 7), nn.Tanh()]
    ends = [*doubling(4 * channels), *doubling(2 * channels), *end]
    return Held("model", *stem, *halving(channels), *halving(2 * channels), *middle, *ends)


def unet(depth: int, channels: int, norm: str) -> nn.Module:
    make, bias = NORMS[norm], norm == "instance"

    def down(inputs: int, outputs: int) -> nn.Conv2d:
        return nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=bias)

    def up(inputs: int, outputs: int, bias: bool = bias) -> nn.ConvTranspose2d:
        return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=bias)

    widths = [channels * min(2**level, 8) for level in range(depth)]
    outer, inner = widths[-2:]
    level = [nn.LeakyReLU(0.2), down(outer, inner), nn.ReLU(), up(inner, outer), make(outer)]
    for outer, inner in list(pairwise(widths))[-2::-1]:
        around = [nn.LeakyReLU(0.2), down(outer, inner), make(inner)]
        level = [*around, Joined("model", *level), nn.ReLU(), up(2 * inner, outer), make(outer)]
    last = up(2 * channels, 3, bias=True)
    return Wrapped(Held("model", down(3, channels), Joined("model", *level), nn.ReLU(), last, nn.Tanh()))


def patchgan(inputs: int, channels: int, layers: int, norm: str, *, down: bool = False) -> Held:
    make, bias = NORMS[norm], norm == "instance"
    stride = 1 if down else 2
    row: list[nn.Module] = []
    width = inputs
    for level in range(layers + 1):
        wider = channels * min(2**level, 8)
        halves = level < layers
        row.append(nn.Conv2d(width, wider, 4, stride if halves else 1, 1, bias=bias or level == 0))
        row += [] if level == 0 else [make(wider)]
        row += [nn.LeakyReLU(0.2), *([Halved(wider)] if down and halves else [])]
        width = wider
    return Held("model", *row, nn.Conv2d(width, 1, 4, 1, 1))


def pixel(inputs: int, channels: int, norm: str) -> Held:
    make, bias = NORMS[norm], norm == "instance"
    first = [nn.Conv2d(inputs, channels, 1), nn.LeakyReLU(0.2)]
    second = [nn.Conv2d(channels, 2 * channels, 1, bias=bias), make(2 * channels), nn.LeakyReLU(0.2)]
    return Held("net", *first, *second, nn.Conv2d(2 * channels, 1, 1, bias=bias))


def trained(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network in evaluation with random weights and statistics, its filters left as they are."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            tensor.fill_(7)
        elif not name.endswith("filt"):
            positive = name.endswith("running_var") or (tensor.ndim == 1 and name.endswith("weight"))
            drawn = torch.randn(tensor.shape, generator=generator)
            scale = (tensor[0].numel() ** -0.5) if tensor.ndim == 4 else 0.3
            tensor.copy_(1 + 0.3 * drawn.tanh() if positive else scale * drawn)
    return network.eval()


def saved(network: nn.Module) -> OrderedDict[str, Tensor]:
    return OrderedDict((name, tensor.clone()) for name, tensor in network.state_dict().items())
