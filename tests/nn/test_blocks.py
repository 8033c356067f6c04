import pytest
import torch

from ganstyle.nn.blocks import Dropout, Residual, Stage, convolution, drawing
from ganstyle.nn.norms import ConditionalInstanceNorm
from ganstyle.nn.unet import UNet


def test_dropout_at_test_is_a_choice_of_its_own() -> None:
    ones = torch.ones(4, 8, 8, 8)
    for at_test in (True, False):
        dropout = Dropout(0.5, at_test=at_test)
        assert not torch.equal(dropout.train()(ones), ones)
        assert torch.equal(dropout.eval()(ones), ones) != at_test


def test_dropout_keeps_the_mean() -> None:
    dropped = Dropout(0.25, at_test=True)(torch.ones(1, 1, 256, 256))
    assert abs(dropped.mean() - 1) < 0.02
    assert set(dropped.unique().tolist()) == {0.0, torch.tensor(4 / 3).item()}


def test_a_residual_of_nothing_doubles() -> None:
    x = torch.randn(1, 2, 3, 3)
    torch.testing.assert_close(Residual()(x), 2 * x)


def test_the_style_reaches_layers_inside_of_layers() -> None:
    norm = ConditionalInstanceNorm(2, styles=2)
    norm.bias.data = torch.tensor([[0.0, 0.0], [5.0, 7.0]])
    stage = Stage(Residual(Stage(torch.nn.Identity(), norm)))
    changed = stage(torch.zeros(1, 2, 4, 4), torch.tensor([1]))
    torch.testing.assert_close(changed.mean((0, 2, 3)), torch.tensor([5.0, 7.0]))


def test_reflection_keeps_a_constant_image_constant_to_the_border() -> None:
    image = torch.full((1, 1, 6, 6), 0.5)
    reflected = convolution(1, 1, 5, padding="reflect")(image)
    assert reflected.shape == image.shape
    torch.testing.assert_close(reflected, reflected[..., 3:4, 3:4].expand_as(reflected))
    zeros = convolution(1, 1, 5, padding="zero")(image)
    assert zeros.std() > 1e-3


@pytest.mark.parametrize(("dropout", "at_test", "drawn"), [(0.5, True, True), (0.0, True, False), (0.5, False, False)])
def test_layers_that_draw_in_evaluation_are_found(dropout: float, at_test: bool, drawn: bool) -> None:
    network = UNet(depth=8, channels=2, dropout=dropout, dropout_at_test=at_test)
    found = drawing(network)
    assert bool(found) == drawn
    assert all(layer.probability == 0.5 for layer in found)
