import pytest
import torch
from torch import nn
from torch.nn import functional

from ganstyle.nn.initialize import initialize
from ganstyle.nn.upsample import UPSAMPLINGS, upsampling


def layer(kind: str, kernel: int = 3) -> nn.Module:
    made = upsampling(kind, 3, 2, kernel=kernel, padding="reflect", bias=True)
    initialize(made)
    return made


@pytest.mark.parametrize("kind", UPSAMPLINGS)
@pytest.mark.parametrize("kernel", [3, 4])
def test_every_upsampling_doubles_the_sides(kind: str, kernel: int) -> None:
    assert layer(kind, kernel)(torch.randn(2, 3, 5, 6)).shape == (2, 2, 10, 12)


@pytest.mark.parametrize("kind", ["nearest", "bilinear", "pixel_shuffle"])
def test_a_constant_image_does_not_checker_at_the_start(kind: str) -> None:
    up = layer(kind)(torch.ones(1, 3, 6, 6))
    torch.testing.assert_close(up, up[..., :1, :1].expand_as(up))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("padding", "mode"), [("reflect", "reflect"), ("zero", "constant")])
@pytest.mark.parametrize("sides", [(5, 6), (1, 3)])
def test_nearest_is_the_convolution_of_the_repeated_pixels(
    bias: bool, padding: str, mode: str, sides: tuple[int, int]
) -> None:
    up = upsampling("nearest", 3, 2, kernel=3, padding=padding, bias=bias).double()
    small = torch.randn(2, 3, *sides, dtype=torch.float64, requires_grad=True)
    repeated = small.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    plain = functional.conv2d(functional.pad(repeated, (1, 1, 1, 1), mode), up[1].weight, up[1].bias)
    torch.testing.assert_close(up(small), plain)
    inputs = [small, *up.parameters()]
    weights = torch.randn_like(plain)
    folded, direct = (torch.autograd.grad((y * weights).sum(), inputs) for y in (up(small), plain))
    torch.testing.assert_close(folded, direct)


def test_a_transposed_convolution_of_kernel_3_checkers() -> None:
    up = layer("transpose")(torch.ones(1, 3, 6, 6))[..., 2:-2, 2:-2]
    assert up.std() > 1e-3


def test_a_pixel_shuffle_starts_as_nearest_upsampling() -> None:
    """Aitken et al. 2017: at the start every block of 2 x 2 pixels has one value."""
    up = layer("pixel_shuffle")
    shuffled = up(torch.randn(1, 3, 6, 6))
    first = shuffled[..., ::2, ::2]
    torch.testing.assert_close(shuffled, first.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3))
    assert first.std() > 0


def test_a_pixel_shuffle_learns_four_kernels() -> None:
    up = layer("pixel_shuffle")
    up(torch.randn(1, 3, 6, 6))[..., ::2, ::2].sum().backward()
    gradient = up[0].weight.grad.abs().sum((1, 2, 3))
    assert gradient[::4].all()
    assert not gradient[1::4].any()


@pytest.mark.parametrize("kind", UPSAMPLINGS)
def test_every_upsampling_runs_in_half_precision(kind: str) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        up = layer(kind)(torch.randn(1, 3, 5, 6).bfloat16())
    assert up.dtype == torch.bfloat16
