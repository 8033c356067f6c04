import pytest
import torch
from torch import Tensor

from ganstyle.losses.adversarial import game
from ganstyle.losses.contrastive import patch_nce
from ganstyle.losses.perceptual import content_loss, gram, style_loss
from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Judgement


@in_full_precision
def product(parts: dict[str, Tensor], more: tuple[Tensor, ...] = ()) -> Tensor:
    result = parts["a"] @ parts["b"]
    for part in more:
        result = result @ part
    return result


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_half_precision_is_widened_wherever_it_stands(dtype: torch.dtype) -> None:
    a = torch.full((2, 2), 0.1, dtype=dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = product({"a": a, "b": a}, more=(a,))
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, a.float() @ a.float() @ a.float())


def test_float64_stays_float64() -> None:
    a = torch.ones(2, 2, dtype=torch.float64)
    assert product({"a": a, "b": a}).dtype == torch.float64


def test_gradients_come_back_in_the_dtype_that_came_in() -> None:
    a = torch.ones(2, 2, dtype=torch.bfloat16, requires_grad=True)
    product({"a": a, "b": a}).sum().backward()
    assert a.grad is not None
    assert a.grad.dtype == torch.bfloat16


def test_losses_of_16_bit_activations_are_those_of_the_same_numbers_in_32() -> None:
    features = {"layer": torch.randn(2, 8, 16, 16).bfloat16() * 30}
    targets = {"layer": torch.randn(2, 8, 16, 16).bfloat16() * 30}
    wide, wide_targets = ({"layer": each["layer"].float()} for each in (features, targets))
    layers = {"layer": 1.0}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        content, style = content_loss(features, targets, layers), style_loss(features, targets, layers)
        nce = patch_nce(features["layer"][0].flatten(2), targets["layer"][0].flatten(2))
        fooled = game("lsgan").fool((Judgement(features["layer"][:, :1], ()),))
    assert {loss.dtype for loss in (content, style, nce, fooled)} == {torch.float32}
    assert content == content_loss(wide, wide_targets, layers)
    assert style == style_loss(wide, wide_targets, layers)


def test_a_gram_matrix_of_16_bits_does_not_overflow() -> None:
    loud = {"layer": torch.full((1, 2, 4, 4), 3e4, dtype=torch.float16)}
    assert style_loss(loud, loud, {"layer": 1.0}) == 0
    assert gram(loud["layer"].float()).isfinite().all()
