"""Normalisation layers, and the choice among them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from ganstyle.errors import ConfigError, unknown

NORMS = ("affine_instance", "batch", "instance", "none")
STATISTICS = ("batch", "running")

Style: TypeAlias = Int[Tensor, " batch"] | Float[Tensor, "batch styles"]
"""The number of a style for each image, or each image's mixture of styles (weights that sum to 1)."""


class InstanceNorm(nn.InstanceNorm2d):
    """Instance norm that a CPU computes as group norm with one channel per group: the same sums, in half the time.

    PyTorch's own goes through batch norm and returns a view, which an activation in place then copies twice.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (as its parent has it)
        """Normalise every channel of every image."""
        return normalized(input, self.weight, self.bias, self.eps)


def normalized(x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None, epsilon: float = 1e-5) -> Tensor:
    """Give every channel of every image mean 0 and variance 1, then scale and shift each channel."""
    if torch.compiler.is_compiling() or x.device.type != "cpu" or x.shape[2:].numel() == 1:
        # a recorded graph holds the operator that runtimes know; a single pixel raises
        return F.instance_norm(x, weight=scale, bias=shift, eps=epsilon)
    return F.group_norm(x, x.shape[1], scale, shift, epsilon)


class ConditionalInstanceNorm(nn.Module):
    """Instance norm whose scale and shift belong to the style: one network paints many styles.

    Source: Dumoulin, Shlens & Kudlur 2017, eq. 5; mixtures of styles as in their section 3.2.
    """

    def __init__(self, channels: int, styles: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(styles, channels))
        self.bias = nn.Parameter(torch.zeros(styles, channels))

    def forward(self, x: Float[Tensor, "batch channels rows columns"], style: Style) -> Tensor:
        """Normalise every channel of every image, then scale and shift it as the image's style asks."""
        scale, shift = (values.to(x.dtype)[..., None, None] for values in self.affine(style))
        return normalized(x) * scale + shift

    def affine(self, style: Style) -> tuple[Float[Tensor, "batch channels"], Float[Tensor, "batch channels"]]:
        """Return the scale and the shift of every image's style."""
        return _of_style(self.weight, style), _of_style(self.bias, style)


def _of_style(table: Float[Tensor, "styles channels"], style: Style) -> Float[Tensor, "batch channels"]:
    return style.to(table.dtype) @ table if style.is_floating_point() else F.embedding(style, table)


@dataclass(frozen=True)
class Norm:
    """Which normalisation a network uses; calling it makes a layer.

    `statistics_at_test` says what batch norm uses in evaluation: those of the `batch`, as pix2pix does (then it keeps
    no running ones), or the `running` ones. Instance norm has no choice: it always uses the image's own.
    With `styles` above 0 the layers are ConditionalInstanceNorm.
    Raises ConfigError for an unknown name, or styles with a norm that is not instance norm.
    """

    kind: str
    statistics_at_test: str = "batch"
    styles: int = 0

    def __post_init__(self) -> None:
        if self.kind not in NORMS:
            raise ConfigError(unknown("norm", self.kind, NORMS))
        if self.statistics_at_test not in STATISTICS:
            raise ConfigError(unknown("statistics_at_test", self.statistics_at_test, STATISTICS))
        if self.styles < 0:
            raise ConfigError(f"styles is {self.styles}, but a network has 0 (one fixed style) or more of them.")
        if self.styles and "instance" not in self.kind:
            raise ConfigError(f"styles need instance norm, but norm is {self.kind!r}; set norm to 'instance'.")

    def __call__(self, channels: int) -> nn.Module:
        """Make a layer for this many channels."""
        if self.styles:
            return ConditionalInstanceNorm(channels, self.styles)
        if self.kind == "batch":
            return nn.BatchNorm2d(channels, track_running_stats=self.statistics_at_test == "running")
        if self.kind == "none":
            return nn.Identity()
        return InstanceNorm(channels, affine=self.kind == "affine_instance")

    @property
    def shifts(self) -> bool:
        """Whether the layers add a bias of their own, so that the convolution before needs none."""
        return self.kind in ("batch", "affine_instance") or self.styles > 0


def without_norms(network: nn.Module) -> bool:
    """Whether a generator was built with `norm="none"`; False where it has no such argument."""
    arguments: Mapping[str, Any] = getattr(network, "arguments", {})
    return arguments.get("norm") == "none"
