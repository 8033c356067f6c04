import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from ganstyle.nn.blocks import convolution
from ganstyle.nn.norms import InstanceNorm
from ganstyle.nn.products import TransposedConvolution, convolved
from ganstyle.nn.unet import UNet


class Called(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the operators that run."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def gradients(y: Tensor, x: Tensor, layer: nn.Module) -> list[Tensor]:
    weights = torch.randn(y.shape, dtype=y.dtype, generator=torch.Generator().manual_seed(1))
    return [y, *torch.autograd.grad(y, [x, *layer.parameters()], weights, create_graph=True)]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(4, 2, 1), (3, 1, 1), (3, 2, 0), (1, 1, 0)])
@pytest.mark.parametrize("sides", [(4, 4), (5, 3)])
def test_a_product_is_the_convolution(
    bias: bool, kernel: int, stride: int, padding: int, sides: tuple[int, int]
) -> None:
    layer = nn.Conv2d(3, 64, kernel, stride, padding, bias=bias).double()
    x = torch.randn(2, 3, *sides, dtype=torch.float64, requires_grad=True)
    with Called() as called:
        mine = convolved(x, layer, (padding, padding))
    assert "convolution" not in called.names
    for found, wanted in zip(gradients(mine, x, layer), gradients(layer(x), x, layer), strict=True):
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("kernel", "more"), [(4, 0), (3, 1)])
@pytest.mark.parametrize("sides", [(1, 1), (2, 3)])
def test_a_transposed_product_is_the_transposed_convolution(
    bias: bool, kernel: int, more: int, sides: tuple[int, int]
) -> None:
    layer = TransposedConvolution(32, 5, kernel, 2, 1, output_padding=more, bias=bias).double()
    x = torch.randn(2, 32, *sides, dtype=torch.float64, requires_grad=True)
    with Called() as called:
        mine = layer(x)
    assert "convolution" not in called.names
    for found, wanted in zip(
        gradients(mine, x, layer), gradients(nn.ConvTranspose2d.forward(layer, x), x, layer), strict=True
    ):
        torch.testing.assert_close(found, wanted)


def test_the_slope_of_a_slope_is_the_convolutions() -> None:
    layer = convolution(4, 64, 4, stride=2).double()
    x = torch.randn(1, 4, 8, 8, dtype=torch.float64, requires_grad=True)
    plain = F.conv2d(x, layer.weight, layer.bias, 2, 1)
    found, wanted = (
        torch.autograd.grad(gradients(y.square(), x, layer)[1].square().sum(), layer.weight)[0]
        for y in (layer(x), plain)
    )
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize(("side", "multiplies"), [(8, True), (32, False)])
def test_only_small_maps_are_multiplied(side: int, multiplies: bool) -> None:
    with Called() as called:
        convolution(4, 64, 4, stride=2)(torch.rand(1, 4, side, side))
    assert ("convolution" not in called.names) == multiplies


def test_no_images_give_no_images() -> None:
    layer, up = convolution(4, 64, 4, stride=2), TransposedConvolution(64, 4, 4, 2, 1)
    none = torch.rand(0, 4, 8, 8)
    assert InstanceNorm(64)(layer(none)).shape == (0, 64, 4, 4)
    assert up(layer(none)).shape == (0, 4, 8, 8)


def test_the_size_that_is_asked_for_is_given() -> None:
    layer = TransposedConvolution(64, 4, 3, 2, 1)
    x = torch.rand(1, 64, 2, 2)
    torch.testing.assert_close(layer(x, [4, 4]), nn.ConvTranspose2d.forward(layer, x, [4, 4]))
    assert layer(x[0]).shape == (4, 3, 3)


def test_groups_are_convolved() -> None:
    with Called() as called:
        convolution(64, 64, 3, groups=64)(torch.rand(1, 64, 2, 2))
    assert "convolution" in called.names


def test_an_exported_network_convolves_at_every_size() -> None:
    network = UNet(depth=4, channels=16, dropout=0.0).eval()
    graph = torch.export.export(network, (torch.rand(1, 3, 16, 16),)).graph
    assert not [node for node in graph.nodes if "col2im" in str(node.target) or "im2col" in str(node.target)]


def test_half_precision_is_nearly_as_near_as_the_convolutions() -> None:
    torch.manual_seed(0)
    layer, up = convolution(64, 512, 4, stride=2), TransposedConvolution(512, 64, 4, 2, 1)
    x = torch.randn(1, 64, 8, 8)
    exact = up(layer(x))
    with torch.autocast("cpu", torch.bfloat16):
        mine = up(layer(x))
        plain = nn.ConvTranspose2d.forward(up, nn.Conv2d.forward(layer, x))
    assert mine.dtype == plain.dtype == torch.bfloat16
    assert (mine - exact).norm() < 1.5 * (plain - exact).norm()  # overlapping patches are rounded before they add up


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("sides", [(1, 2), (5, 7)])
def test_instance_norm_is_pytorchs(affine: bool, sides: tuple[int, int]) -> None:
    mine, plain = InstanceNorm(3, affine=affine).double(), nn.InstanceNorm2d(3, affine=affine).double()
    for parameter in mine.parameters():
        nn.init.normal_(parameter)
    plain.load_state_dict(mine.state_dict())
    x = torch.randn(2, 3, *sides, dtype=torch.float64, requires_grad=True)
    for found, wanted in zip(gradients(mine(x), x, mine), gradients(plain(x), x, plain), strict=True):
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("images", [1, 2])
def test_instance_norm_of_a_single_pixel_is_refused(images: int) -> None:
    with pytest.raises(ValueError, match="more than 1 spatial element"):
        InstanceNorm(3)(torch.rand(images, 3, 1, 1))
