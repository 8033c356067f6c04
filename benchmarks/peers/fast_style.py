"""The feed-forward network for one style of Johnson et al. 2016, in the TensorFlow layout of Engstrom 2016.

Three convolutions down to a quarter of the side, five residual blocks, two transposed convolutions up, one to RGB;
instance normalization after each, no biases. It is published as `var0` ... `var47`: kernel, shift and scale in turn.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganstyle.errors import WeightsError
from ganstyle.types import Image

EPSILON = 1e-3
AMPLITUDE = 150.0
"""Of the tanh at the end, in bytes; so the result may leave [0, 255] and is clipped."""


class Same(nn.Module):
    """A convolution padded as TensorFlow's SAME: what does not divide evenly goes to the right and below."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, kernel, kernel))
        self.stride = stride

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch d rows columns"]:
        """Return as many rows and columns as there are strides in the input, rounded up."""
        bottom, right = (self._missing(side) for side in x.shape[-2:])
        padded = F.pad(x, (right // 2, right - right // 2, bottom // 2, bottom - bottom // 2))
        return F.conv2d(padded, self.weight, stride=self.stride)

    def _missing(self, side: int) -> int:
        places = -(-side // self.stride)
        return max(0, (places - 1) * self.stride + self.weight.shape[-1] - side)


class SameTransposed(nn.Module):
    """The transpose of a `Same` convolution of kernel 3 and stride 2: twice the side, surplus cut right and below."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(inputs, outputs, 3, 3))

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch d 2*h 2*w"]:
        """Return twice as many rows and columns."""
        return F.conv_transpose2d(x, self.weight, stride=2)[..., :-1, :-1]


class Residual(nn.Module):
    """Two normalized convolutions beside an identity; no activation after the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            Same(channels, channels, 3), norm(channels), nn.ReLU(), Same(channels, channels, 3), norm(channels)
        )

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
        """Add the branch."""
        return x + self.branch(x)  # type: ignore[no-any-return]


class FastStyle(nn.Module):
    """One style's generator, 1,677,638 parameters; sides must be multiples of 4."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(Same(3, 32, 9), norm(32), nn.ReLU()),
            *(Same(32, 64, 3, stride=2), norm(64), nn.ReLU()),
            *(Same(64, 128, 3, stride=2), norm(128), nn.ReLU()),
            *(Residual(128) for _ in range(5)),
            *(SameTransposed(128, 64), norm(64), nn.ReLU()),
            *(SameTransposed(64, 32), norm(32), nn.ReLU()),
            *(Same(32, 3, 9), norm(3), nn.Tanh()),
        )

    def forward(self, image: Image) -> Image:
        """Restyle photographs; the network itself sees bytes."""
        seen = (image + 1.0) * 127.5
        return (self.layers(seen) * (AMPLITUDE / 127.5)).clamp(-1.0, 1.0)  # type: ignore[no-any-return]


def norm(channels: int) -> nn.InstanceNorm2d:
    """Make the normalization of this network, with a shift and a scale."""
    return nn.InstanceNorm2d(channels, eps=EPSILON, affine=True)


def load(tensors: Mapping[str, Tensor]) -> FastStyle:
    """Build the generator from its published tensors, kernels being height x width x in x out (transposed: out x in).

    Raises WeightsError when the names or shapes are not this network's.
    """
    network = FastStyle()
    parameters = {f"var{number}": parameter for number, parameter in enumerate(_parameters(network))}
    found = {name: tensor.permute(3, 2, 0, 1) if tensor.ndim == 4 else tensor for name, tensor in tensors.items()}
    if _shapes(found) != _shapes(parameters):
        raise WeightsError(f"these {len(found)} tensors are not the {len(parameters)} of a fast_style network.")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(found[name])
    return network.eval()


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _parameters(network: nn.Module) -> list[nn.Parameter]:
    """Kernel, shift and scale of every layer in turn."""
    kernels = [m.weight for m in network.modules() if isinstance(m, Same | SameTransposed)]
    norms = [m for m in network.modules() if isinstance(m, nn.InstanceNorm2d)]
    return [part for kernel, n in zip(kernels, norms, strict=True) for part in (kernel, n.bias, n.weight)]
