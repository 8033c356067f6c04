"""What is traced paints what the network paints."""

import pytest
import torch
from torch import nn

from ganstyle.export.graph import graph_of
from ganstyle.export.portable import Doubling, Widened, traceable
from ganstyle.nn.light import Light
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 5), (7, 4)])
def test_a_transposed_convolution_is_one_on_the_small_map(rows: int, columns: int, bias: bool) -> None:
    network = nn.Sequential(nn.ConvTranspose2d(3, 5, 4, 2, 1, bias=bias).double())
    nn.init.normal_(network[0].weight)
    found = traceable(network)
    assert isinstance(found[0], Doubling)
    image = torch.randn(2, 3, rows, columns, dtype=torch.float64)
    torch.testing.assert_close(found(image), network(image))


def test_transposed_convolutions_of_other_kinds_stay() -> None:
    network = nn.Sequential(nn.ConvTranspose2d(3, 5, 3, 2, 1, 1), nn.ConvTranspose2d(5, 5, 4, 2, 1, groups=5))
    assert [type(layer) for layer in traceable(network)] == [nn.ConvTranspose2d, nn.ConvTranspose2d]


@pytest.mark.parametrize("upsampling", ["transpose", "nearest"])
def test_networks_are_traced_as_they_are(upsampling: str) -> None:
    unet = UNet(depth=3, channels=4, dropout_at_test=False, upsampling=upsampling)
    resnet = ResNet(blocks=1, channels=4, upsampling=upsampling)
    image = torch.rand(1, 3, 32, 40) * 2 - 1
    for network in (unet.eval(), resnet.eval()):
        with torch.inference_mode():
            torch.testing.assert_close(traceable(network)(image), network(image), atol=1e-5, rtol=0)
    layers = list(traceable(unet).modules())
    assert not [layer for layer in layers if isinstance(layer, nn.ConvTranspose2d)]


def test_what_acts_in_place_does_not_when_traced() -> None:
    """Without norms, a ReLU meets a cropped map: a graph would scatter into the whole, and cut out again."""
    network = Light(blocks=1, channels=4, norm="none").eval()
    assert not any(getattr(layer, "inplace", False) for layer in traceable(network).modules())
    assert any(getattr(layer, "inplace", False) for layer in network.modules()), "the network itself is left alone"
    assert not {node.op_type for node in graph_of(network).graph.node} & {"ScatterND", "Transpose"}


def test_a_relu_after_a_doubling_acts_before_the_shuffle() -> None:
    network = nn.Sequential(nn.ConvTranspose2d(3, 5, 4, 2, 1), nn.Identity(), nn.ReLU(), nn.ReLU()).double()
    found = traceable(network)
    assert [type(layer) for layer in found] == [Doubling, nn.Identity, nn.Identity, nn.ReLU]
    image = torch.randn(1, 3, 4, 6, dtype=torch.float64)
    torch.testing.assert_close(found(image), network(image))


@pytest.mark.parametrize(
    ("padding", "upsampling"), [("zero", "transpose"), ("zero", "nearest"), ("reflect", "transpose")]
)
def test_no_convolution_of_a_unet_gives_a_single_column(padding: str, upsampling: str) -> None:
    network = UNet(depth=3, channels=4, dropout_at_test=False, upsampling=upsampling, padding=padding).eval()
    found = traceable(network)
    assert isinstance(found.encoder["down3"][0], Widened)
    image = torch.rand(1, 3, 32, 8)
    with torch.inference_mode():
        torch.testing.assert_close(found(image), network(image), atol=1e-5, rtol=0)


def test_a_unet_whose_maps_are_never_so_narrow_is_not_widened() -> None:
    network = UNet(depth=3, channels=4, upsampling="nearest", padding="reflect")
    assert not any(isinstance(layer, Widened) for layer in traceable(network).modules())
