"""Networks for one style, of PyTorch's example and of TensorFlow code, compute what their descriptions say."""

from collections.abc import Mapping
from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ganstyle.errors import WeightsError
from ganstyle.interop.fast_style import fast_neural_style, fast_style
from ganstyle.interop.microast import arbitrary, microast
from ganstyle.nn.microast import MicroAST

PICTURE = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(3))
"""In [0, 1]."""


class Layer(NamedTuple):
    """How one of the example's layers is called, and what it does."""

    name: str
    norm: str | None
    kernel: int
    inputs: int
    outputs: int
    stride: int = 1
    doubles: bool = False


def layers(blocks: int, width: int) -> list[Layer]:
    wide = 4 * width
    down = [
        Layer("conv1", "in1", 9, 3, width),
        Layer("conv2", "in2", 3, width, 2 * width, 2),
        Layer("conv3", "in3", 3, 2 * width, wide, 2),
    ]
    middle = [Layer(f"res{n}.conv{k}", f"res{n}.in{k}", 3, wide, wide) for n in range(1, blocks + 1) for k in (1, 2)]
    up = [
        Layer("deconv1", "in4", 3, wide, 2 * width, doubles=True),
        Layer("deconv2", "in5", 3, 2 * width, width, doubles=True),
        Layer("deconv3", None, 9, width, 3),
    ]
    return [*down, *middle, *up]


def random_example(blocks: int = 5, width: int = 4) -> dict[str, Tensor]:
    draw, tensors = torch.Generator().manual_seed(0), {}
    for layer in layers(blocks, width):
        kernel = torch.randn(layer.outputs, layer.inputs, layer.kernel, layer.kernel, generator=draw)
        tensors[f"{layer.name}.conv2d.weight"] = kernel / kernel[0].numel() ** 0.5 * (1 if layer.norm else 60)
        tensors[f"{layer.name}.conv2d.bias"] = torch.randn(layer.outputs, generator=draw) + (0 if layer.norm else 128)
        if layer.norm:
            tensors[f"{layer.norm}.weight"] = 1 + 0.3 * torch.randn(layer.outputs, generator=draw)
            tensors[f"{layer.norm}.bias"] = 0.3 * torch.randn(layer.outputs, generator=draw)
    return tensors


def example(tensors: Mapping[str, Tensor], blocks: int, width: int, image: Tensor) -> Tensor:
    """Johnson et al. 2016 with instance norm, reflection, and resizing before convolving; bytes to bytes."""
    x, before = image * 255, image
    for layer in layers(blocks, width):
        x = x.repeat_interleave(2, -1).repeat_interleave(2, -2) if layer.doubles else x
        before = x if layer.name.endswith("conv1") else before
        border = layer.kernel // 2
        kernel, bias = (tensors[f"{layer.name}.conv2d.{part}"] for part in ("weight", "bias"))
        x = F.conv2d(F.pad(x, (border,) * 4, mode="reflect"), kernel, bias, layer.stride)
        if layer.norm:
            mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True)
            scale, shift = (tensors[f"{layer.norm}.{part}"][:, None, None] for part in ("weight", "bias"))
            x = (x - mean) / (variance + 1e-5).sqrt() * scale + shift
        second = layer.name.startswith("res") and layer.name.endswith("conv2")
        x = x + before if second else x.relu() if layer.norm else x
    return x.clamp(0, 255)


@pytest.mark.parametrize(("blocks", "width"), [(5, 4), (2, 8)])
@pytest.mark.parametrize("deprecated", [False, True], ids=["today", "with deprecated statistics"])
def test_an_imported_example_computes_what_the_reference_does(blocks: int, width: int, deprecated: bool) -> None:
    tensors = random_example(blocks, width)
    norms = [layer.norm for layer in layers(blocks, width) if layer.norm]
    stale = {f"{norm}.running_{part}": torch.ones(2) for norm in norms for part in ("mean", "var")}
    network, words = fast_neural_style(tensors | stale if deprecated else tensors)
    wanted = example(tensors, blocks, width, PICTURE)
    assert 20 < wanted.std() < 120
    with torch.inference_mode():
        found = (network.eval()(PICTURE * 2 - 1) + 1) * 127.5
    torch.testing.assert_close(found / 255, wanted / 255, atol=1e-5, rtol=0)
    assert f"{blocks} blocks, {width} channels" in words
    assert ("unused statistics dropped" in words) == deprecated


def random_tensorflow() -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(1)
    shapes = [(9, 9, 3, 32), (3, 3, 32, 64), (3, 3, 64, 128), *[(3, 3, 128, 128)] * 10]
    shapes += [(3, 3, 64, 128), (3, 3, 32, 64), (9, 9, 32, 3)]
    tensors: list[Tensor] = []
    for number, shape in enumerate(shapes):
        channels = shape[2] if number in (13, 14) else shape[3]
        kernel = torch.randn(shape, generator=draw) * 0.05
        tensors += [kernel, 0.3 * torch.randn(channels, generator=draw), 0.5 + torch.rand(channels, generator=draw)]
    return {f"var{number}": tensor for number, tensor in enumerate(tensors)}


def tensorflow(tensors: Mapping[str, Tensor], image: Tensor) -> Tensor:
    """The same network with TensorFlow's SAME padding: ceil(n / stride) places, the odd pixel right and below."""
    values, x, before = iter(tensors.values()), image * 255, image
    for number in range(16):
        kernel, shift, scale = (next(values) for _ in range(3))
        side, stride = kernel.shape[0], 2 if number in (1, 2) else 1
        before = x if 3 <= number < 13 and number % 2 else before
        if number in (13, 14):
            x = F.conv_transpose2d(x, kernel.permute(3, 2, 0, 1), stride=2)[..., : 2 * x.shape[-2], : 2 * x.shape[-1]]
        else:
            total = [max(0, (-(-n // stride) - 1) * stride + side - n) for n in (x.shape[-1], x.shape[-2])]
            x = F.pad(x, [part for all_in in total for part in (all_in // 2, all_in - all_in // 2)])
            x = F.conv2d(x, kernel.permute(3, 2, 0, 1), stride=stride)
        mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True)
        x = (x - mean) / (variance + 1e-3).sqrt() * scale[:, None, None] + shift[:, None, None]
        second = 3 <= number < 13 and number % 2 == 0
        x = x + before if second else x if number == 15 else x.relu()
    return (127.5 + 150 * x.tanh()).clamp(0, 255)


def test_imported_tensorflow_variables_compute_what_the_reference_does() -> None:
    tensors = random_tensorflow()
    network, words = fast_style(tensors)
    with torch.inference_mode():
        found = (network.eval()(PICTURE * 2 - 1) + 1) * 127.5
    torch.testing.assert_close(found / 255, tensorflow(tensors, PICTURE) / 255, atol=1e-5, rtol=0)
    assert "TensorFlow" in words


def without(tensors: dict[str, Tensor], *names: str) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in tensors.items() if name not in names}


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (without(random_example(), "in4.bias"), r"lacks in4\.bias"),
        (random_example() | {"fc.weight": torch.zeros(1)}, r"no place for fc\.weight"),
        ({"conv1.conv2d.weight": torch.zeros(4, 3, 9, 9)}, "none is of a residual block"),
        (random_example() | {"conv1.conv2d.weight": torch.zeros(4, 1, 9, 9)}, r"conv1\.conv2d\.weight \(4 x 1 x 9 x 9"),
    ],
)
def test_an_example_that_does_not_match_is_refused_with_the_tensors_named(
    tensors: dict[str, Tensor], words: str
) -> None:
    with pytest.raises(WeightsError, match=words):
        fast_neural_style(tensors)


def test_foreign_variables_are_refused_with_the_tensors_named() -> None:
    with pytest.raises(WeightsError, match=r"these 1 tensors are not the 48 of fast_style: it lacks var1, var2"):
        fast_style({"var0": torch.zeros(9, 9, 3, 32)})
    with pytest.raises(WeightsError, match=r"other shapes are in var3 \(64 x 32 x 5 x 5 and not 64 x 32 x 3 x 3\)"):
        fast_style(random_tensorflow() | {"var3": torch.zeros(5, 5, 32, 64)})


def test_microast_needs_a_painting_and_its_own_tensors() -> None:
    tensors = MicroAST().state_dict()
    with pytest.raises(WeightsError, match="give --style one"):
        microast(tensors, None)
    with pytest.raises(WeightsError, match=r"lacks modulator\.bias1\.0\.bias"):
        arbitrary(without(tensors, "modulator.bias1.0.bias"))
    _, words = microast(tensors, torch.zeros(1, 3, 16, 24))
    assert words == "MicroAST generator of Wang et al. 2023, in the style of a painting of 24 x 16 pixels"
