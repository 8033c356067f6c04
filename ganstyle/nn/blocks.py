"""What the networks are built from: convolutions, rows of layers, residual blocks."""

from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganstyle.errors import ConfigError, unknown
from ganstyle.nn.norms import ConditionalInstanceNorm, Style
from ganstyle.nn.products import convolved

PaddingMode = Literal["zeros", "reflect"]
PADDINGS: dict[str, PaddingMode] = {"reflect": "reflect", "zero": "zeros"}


def convolution(
    inputs: int,
    outputs: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: str = "zero",
    bias: bool = True,
    groups: int = 1,
) -> nn.Conv2d:
    """Make a convolution padded so that stride 1 keeps an odd kernel's size, and stride 2 halves even sizes."""
    if padding not in PADDINGS:
        raise ConfigError(unknown("padding", padding, PADDINGS))
    mode: PaddingMode = PADDINGS[padding] if kernel > 1 else "zeros"
    border = (kernel - 1) // 2
    return Convolution(inputs, outputs, kernel, stride, border, bias=bias, groups=groups, padding_mode=mode)


class Convolution(nn.Conv2d):
    """A convolution whose reflection padding stays in the precision that the activations come in.

    Autocast on a CPU widens reflection padding to float32 and narrows its result again, which costs more than the
    padding itself; moving pixels needs no precision. Small maps go through a matrix product (`nn.products`).
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (as nn.Conv2d has it)
        """Pad, then convolve."""
        if self.padding_mode == "zeros":
            return convolved(input, self, cast(tuple[int, int], self.padding))
        with torch.autocast(input.device.type, enabled=False):
            padded = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
        return convolved(padded, self, (0, 0))


class Stage(nn.Sequential):
    """Layers in a row; those that depend on the style are given it."""

    def forward(self, input: Tensor, style: Style | None = None) -> Tensor:  # noqa: A002 (as nn.Sequential has it)
        """Run the layers one after the other."""
        for layer in self:
            conditioned = isinstance(layer, ConditionalInstanceNorm | Stage | Residual)
            input = layer(input, style) if conditioned else layer(input)  # noqa: A001
        return input


class Residual(nn.Module):
    """What its layers say, added to what they were given (He et al. 2016)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = Stage(*layers)

    def forward(self, x: Tensor, style: Style | None = None) -> Tensor:
        """Return x plus the layers' change to it."""
        changed: Tensor = x + self.layers(x, style)
        return changed


class Dropout(nn.Module):
    """Dropout that says whether it also acts in evaluation, as pix2pix's source of noise does.

    Raises ConfigError for a probability outside [0, 1).
    """

    def __init__(self, probability: float, *, at_test: bool) -> None:
        super().__init__()
        if not 0 <= probability < 1:
            raise ConfigError(f"dropout is {probability}, but it is a probability: at least 0 and below 1.")
        self.probability = probability
        self.at_test = at_test

    def forward(self, x: Tensor) -> Tensor:
        """Set activations to zero at random and scale the rest up."""
        return F.dropout(x, self.probability, training=self.training or self.at_test)

    @property
    def draws_at_test(self) -> bool:
        """Whether it draws random numbers in evaluation."""
        return self.at_test and self.probability > 0

    def extra_repr(self) -> str:
        """Show the two choices."""
        return f"{self.probability}, at_test={self.at_test}"


def drawing(network: nn.Module) -> list[Dropout]:
    """Find the layers that draw random numbers in evaluation, for which two passes differ."""
    return [layer for layer in network.modules() if isinstance(layer, Dropout) and layer.draws_at_test]
