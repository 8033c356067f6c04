"""The feed-forward networks for one style, and TensorFlow's padding."""

import pytest
import torch

from ganstyle.errors import ShapeError
from ganstyle.nn.transform_net import FastStyle, Same, SameTransposed, TransformNet


def test_a_fast_style_network_has_the_published_number_of_parameters() -> None:
    assert sum(p.numel() for p in FastStyle().parameters()) == 1_677_638


def test_same_padding_puts_the_odd_pixel_right_and_below() -> None:
    convolve = Same(1, 1, 3, stride=2)
    convolve.weight.data[0, 0, 2, 2] = 1.0
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert convolve(image).tolist() == [[[[10.0, 0.0], [0.0, 0.0]]]]


@pytest.mark.parametrize(("side", "stride", "places"), [(8, 1, 8), (7, 1, 7), (8, 2, 4)])
def test_a_same_convolution_has_a_result_for_every_stride(side: int, stride: int, places: int) -> None:
    assert Same(1, 1, 3, stride)(torch.zeros(1, 1, side, side)).shape == (1, 1, places, places)


def test_the_transposed_convolution_is_the_gradient_of_the_same_one() -> None:
    down, up = Same(2, 3, 3, stride=2), SameTransposed(3, 2)
    up.weight.data = down.weight.data = torch.randn(3, 2, 3, 3)
    large, small = torch.randn(1, 2, 6, 6, requires_grad=True), torch.randn(1, 3, 3, 3)
    (gradient,) = torch.autograd.grad((down(large) * small).sum(), large)
    torch.testing.assert_close(up(small), gradient)


def test_the_network_of_pytorchs_example_has_its_number_of_parameters() -> None:
    assert sum(p.numel() for p in TransformNet().parameters()) == 1_679_235


@pytest.mark.parametrize(("kernel", "stride"), [(9, 1), (3, 1), (3, 2)])
def test_a_same_convolution_is_also_a_layer_of_pytorchs(kernel: int, stride: int) -> None:
    same = Same(2, 3, kernel, stride)
    same.weight.data.normal_()
    x = torch.randn(1, 2, 12, 10)
    torch.testing.assert_close(same.symmetric()(x), same(x))


def test_a_transposed_one_is_also_a_layer_of_pytorchs() -> None:
    up = SameTransposed(2, 3)
    up.weight.data.normal_()
    x = torch.randn(1, 2, 5, 6)
    torch.testing.assert_close(up.symmetric()(x), up(x))


@pytest.mark.parametrize("network", [FastStyle(), TransformNet(blocks=1, channels=4)])
def test_sides_that_are_no_multiples_of_four_are_refused(network: torch.nn.Module) -> None:
    with pytest.raises(ShapeError, match="multiples of 4"):
        network(torch.zeros(1, 3, 16, 18))


def test_results_stay_in_range() -> None:
    network = FastStyle()
    for parameter in network.parameters():
        parameter.data.normal_()
    with torch.no_grad():
        result = network(torch.rand(1, 3, 16, 16) * 2 - 1)
    assert result.abs().max() == 1
