"""The feed-forward network for one style of Johnson et al. 2016, in the two forms that trained ones are published in.

Three convolutions down to a quarter of the side, five residual blocks, two doublings, one convolution to RGB; affine
instance norm after each but, in the first form, the last. Both see bytes.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganstyle.nn.arguments import records_arguments, require_count
from ganstyle.nn.blocks import Residual, Stage, convolution
from ganstyle.nn.generator import require_image
from ganstyle.nn.norms import InstanceNorm
from ganstyle.nn.upsample import upsampling as doubling
from ganstyle.types import Image

SIZE_MULTIPLE, LEAST_SIDE = 4, 8
MIDDLE = 127.5
"""Of the bytes: they are -1 to 1 in units of it around it."""
EPSILON = 1e-3
"""Of the second form's norms."""
AMPLITUDE = 150.0
"""Of the tanh at the end of the second form, in bytes; so the result may leave [0, 255] and is clipped."""


@records_arguments
class TransformNet(nn.Module):
    """The form of PyTorch's own examples (fast_neural_style): reflection, resizing by repetition, no tanh.

    Sides must be multiples of 4, and at least 8 pixels. 1,679,235 parameters. Source: Johnson et al. 2016; Ulyanov et
    al. 2016 for instance norm; Odena et al. 2016 for resizing before convolving.
    """

    size_multiple, least_side, styles = SIZE_MULTIPLE, LEAST_SIDE, 0
    arguments: dict[str, Any]

    def __init__(self, *, blocks: int = 5, channels: int = 32) -> None:
        super().__init__()
        require_count("generator.blocks", blocks)
        require_count("generator.channels", channels)
        widths = [channels, 2 * channels, 4 * channels]
        self.encoder = nn.ModuleDict(
            {
                "stem": _rectified(_reflected(3, widths[0], 9), widths[0]),
                "down1": _rectified(_reflected(widths[0], widths[1], 3, stride=2), widths[1]),
                "down2": _rectified(_reflected(widths[1], widths[2], 3, stride=2), widths[2]),
                **{f"block{number}": _block(widths[2]) for number in range(1, blocks + 1)},
            }
        )
        self.decoder = Stage(
            _rectified(_doubled(widths[2], widths[1]), widths[1]),
            _rectified(_doubled(widths[1], widths[0]), widths[0]),
            _reflected(widths[0], 3, 9),
        )

    def forward(self, image: Image) -> Image:
        """Restyle photographs; what leaves the range of bytes is clipped."""
        _require(image)
        x = to_bytes(image)
        for stage in self.encoder.values():
            x = stage(x)
        return self.from_bytes(self.decoder(x))

    @staticmethod
    def from_bytes(x: Tensor) -> Tensor:
        """Turn what the last layer says into numbers in [-1, 1]."""
        return (x / MIDDLE - 1).clamp(-1, 1)


def to_bytes(image: Tensor) -> Tensor:
    """Turn numbers in [-1, 1] into bytes."""
    return (image + 1) * MIDDLE


def _require(image: Tensor) -> None:
    advice = "resize or pad the image"
    require_image("TransformNet", image, multiple=SIZE_MULTIPLE, least=LEAST_SIDE, advice=advice)


def _reflected(inputs: int, outputs: int, kernel: int, *, stride: int = 1) -> nn.Conv2d:
    return convolution(inputs, outputs, kernel, stride=stride, padding="reflect")


def _doubled(inputs: int, outputs: int) -> nn.Module:
    return doubling("nearest", inputs, outputs, kernel=3, padding="reflect", bias=True)


def _rectified(layer: nn.Module, channels: int) -> Stage:
    return Stage(layer, InstanceNorm(channels, affine=True), nn.ReLU(inplace=True))


def _block(channels: int) -> Residual:
    first = _rectified(_reflected(channels, channels, 3), channels)
    return Residual(*first, _reflected(channels, channels, 3), InstanceNorm(channels, affine=True))


class Same(nn.Module):
    """A convolution padded as TensorFlow's SAME: what does not divide evenly goes to the right and below."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, kernel, kernel))
        self.stride = stride

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch d rows columns"]:
        """Return as many rows and columns as there are strides in the input; its sides are multiples of the stride."""
        border = self.weight.shape[-1] - self.stride
        before = border // 2
        padded = F.pad(x, (before, border - before, before, border - before))
        return F.conv2d(padded, self.weight, stride=self.stride)

    def symmetric(self) -> nn.Conv2d:
        """Return the same function as a layer of PyTorch's: at stride 2 the kernel grows by zeros above and left."""
        grown = F.pad(self.weight.detach(), (self.stride - 1, 0, self.stride - 1, 0))
        outputs, inputs, kernel, _ = grown.shape
        layer = nn.Conv2d(inputs, outputs, kernel, self.stride, (kernel - self.stride) // 2, bias=False, device="meta")
        layer.weight = nn.Parameter(grown, requires_grad=False)
        return layer


class SameTransposed(nn.Module):
    """The transpose of a `Same` convolution of kernel 3 and stride 2: twice the side, surplus cut right and below."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(inputs, outputs, 3, 3))

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch d 2*h 2*w"]:
        """Return twice as many rows and columns."""
        return F.conv_transpose2d(x, self.weight, stride=2)[..., :-1, :-1]

    def symmetric(self) -> nn.ConvTranspose2d:
        """Return the same function as a layer of PyTorch's, of kernel 4 with zeros above and left."""
        grown = F.pad(self.weight.detach(), (1, 0, 1, 0))
        inputs, outputs = grown.shape[:2]
        layer = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False, device="meta")
        layer.weight = nn.Parameter(grown, requires_grad=False)
        return layer


@records_arguments
class FastStyle(nn.Module):
    """The form of Engstrom's TensorFlow code (2016), 1,677,638 parameters: SAME padding, transposed convolutions, tanh.

    Sides must be multiples of 4, and at least 8 pixels; convolutions have no biases. It is published as `var0` ...
    `var47`: kernel, shift and scale in turn, which is the order of `turns`.
    """

    size_multiple, least_side, styles = SIZE_MULTIPLE, LEAST_SIDE, 0
    arguments: dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        self.layers = Stage(
            *(Same(3, 32, 9), _norm(32), nn.ReLU()),
            *(Same(32, 64, 3, stride=2), _norm(64), nn.ReLU()),
            *(Same(64, 128, 3, stride=2), _norm(128), nn.ReLU()),
            *(_same_block(128) for _ in range(5)),
            *(SameTransposed(128, 64), _norm(64), nn.ReLU()),
            *(SameTransposed(64, 32), _norm(32), nn.ReLU()),
            *(Same(32, 3, 9), _norm(3), nn.Tanh()),
        )

    def forward(self, image: Image) -> Image:
        """Restyle photographs; what leaves the range of bytes is clipped."""
        _require(image)
        return self.from_tanh(self.layers(to_bytes(image)))

    @staticmethod
    def from_tanh(x: Tensor) -> Tensor:
        """Turn what the tanh says into numbers in [-1, 1]."""
        return (x * (AMPLITUDE / MIDDLE)).clamp(-1, 1)

    def turns(self) -> list[nn.Parameter]:
        """Return kernel, shift and scale of every layer in turn."""
        kernels = [layer.weight for layer in self.modules() if isinstance(layer, Same | SameTransposed)]
        norms = [layer for layer in self.modules() if isinstance(layer, nn.InstanceNorm2d)]
        return [part for kernel, n in zip(kernels, norms, strict=True) for part in (kernel, n.bias, n.weight)]


def _norm(channels: int) -> nn.InstanceNorm2d:
    return InstanceNorm(channels, eps=EPSILON, affine=True)


def _same_block(channels: int) -> Residual:
    """No activation after the sum."""
    first = [Same(channels, channels, 3), _norm(channels), nn.ReLU()]
    return Residual(*first, Same(channels, channels, 3), _norm(channels))
