import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ganstyle.nn.norms import ConditionalInstanceNorm, Norm


def conditional(channels: int, styles: int) -> ConditionalInstanceNorm:
    layer = ConditionalInstanceNorm(channels, styles).double()
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    return layer


@given(seed=st.integers(0, 99), style=st.integers(0, 2))
def test_a_styled_image_has_the_mean_and_deviation_of_its_style(seed: int, style: int) -> None:
    torch.manual_seed(seed)
    layer = conditional(channels=2, styles=3)
    styled = layer(torch.randn(1, 2, 5, 7, dtype=torch.float64) * 100 + 3, torch.tensor([style]))
    torch.testing.assert_close(styled.mean((0, 2, 3)), layer.bias[style])
    torch.testing.assert_close(styled.std((0, 2, 3), correction=0), layer.weight[style].abs(), rtol=1e-4, atol=0)


def test_each_image_of_a_batch_gets_its_own_style() -> None:
    layer = conditional(channels=2, styles=3)
    images = torch.randn(2, 2, 4, 4, dtype=torch.float64)
    both = layer(images, torch.tensor([2, 0]))
    torch.testing.assert_close(both[:1], layer(images[:1], torch.tensor([2])))
    torch.testing.assert_close(both[1:], layer(images[1:], torch.tensor([0])))


def test_a_mixture_lies_between_its_styles() -> None:
    layer = conditional(channels=2, styles=2)
    image = torch.randn(1, 2, 4, 4, dtype=torch.float64)
    first, second = (layer(image, torch.tensor([style])) for style in (0, 1))
    mixed = layer(image, torch.tensor([[0.25, 0.75]]))
    torch.testing.assert_close(mixed, 0.25 * first + 0.75 * second)


def test_a_style_that_is_not_there_raises() -> None:
    with pytest.raises(IndexError):
        conditional(channels=1, styles=2)(torch.randn(1, 1, 2, 2, dtype=torch.float64), torch.tensor([-1]))


@pytest.mark.parametrize("shift", ["batch", "affine_instance"])
def test_norms_that_shift_spare_the_convolution_its_bias(shift: str) -> None:
    assert Norm(shift).shifts
    assert not Norm("instance").shifts
    assert not Norm("none").shifts
    assert Norm("instance", styles=2).shifts


def batch_norm(statistics_at_test: str) -> nn.Module:
    layer = Norm("batch", statistics_at_test)(2)
    layer.train()(torch.randn(8, 2, 4, 4) * 5 + 3)
    return layer.eval()


def test_statistics_of_the_batch_normalize_what_is_seen_at_test() -> None:
    seen = torch.randn(2, 2, 8, 8) * 9 - 4
    layer = batch_norm("batch")
    torch.testing.assert_close(layer(seen), layer.train()(seen))
    torch.testing.assert_close(layer.eval()(seen).mean((0, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)


def test_running_statistics_do_not_depend_on_the_rest_of_the_batch() -> None:
    seen = torch.randn(2, 2, 8, 8)
    layer = batch_norm("running")
    torch.testing.assert_close(layer(seen)[:1], layer(seen[:1]))
