"""The U-Net generator of pix2pix."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganstyle.nn.arguments import records_arguments, require_count
from ganstyle.nn.blocks import Dropout, Stage, convolution
from ganstyle.nn.generator import require_image, require_style, tap, to_image
from ganstyle.nn.initialize import initialize
from ganstyle.nn.norms import Norm, Style
from ganstyle.nn.upsample import upsampling as doubling
from ganstyle.types import Image


@records_arguments
class UNet(nn.Module):
    """An encoder of `depth` halvings and a decoder that sees each of its levels again.

    Sides must be multiples of 2 ** depth: depth 8 is pix2pix's U-Net-256, depth 7 its U-Net-128. With reflection
    padding and upsampling other than `transpose`, the bottleneck must be at least 2 x 2, so images twice as large.
    Taps: image, down1, down2, ...; each after its norm and activation, the deepest one bare.

    Source: Isola et al. 2017, section 6.1.1. Where paper and public code differ, as the code: no norm at the
    bottleneck, dropout in the decoder levels between the bottleneck and the fourth.
    Raises ConfigError for a depth below 2.
    """

    arguments: dict[str, Any]

    def __init__(
        self,
        *,
        depth: int = 8,
        channels: int = 64,
        norm: str = "batch",
        upsampling: str = "transpose",
        padding: str = "zero",
        dropout: float = 0.5,
        dropout_at_test: bool = True,
        statistics_at_test: str = "batch",
        styles: int = 0,
    ) -> None:
        super().__init__()
        require_count("generator.depth", depth, least=2)
        require_count("generator.channels", channels)
        self.styles = styles
        self.size_multiple = 2**depth
        self.least_side = 2**depth if padding == "zero" or upsampling == "transpose" else 2 ** (depth + 1)
        norms = Norm(norm, statistics_at_test, styles)
        widths = [3, *(channels * min(2**level, 8) for level in range(depth))]
        names = [f"down{level}" for level in range(1, depth + 1)]
        self.encoder = nn.ModuleDict(
            {name: _down(widths, level, norms, padding) for level, name in enumerate(names, start=1)}
        )
        noise = Dropout(dropout, at_test=dropout_at_test)
        self.decoder = nn.ModuleList(
            _up(widths, level, norms, padding, upsampling, noise) for level in range(depth, 0, -1)
        )
        self.feature_channels: Mapping[str, int] = dict(zip(["image", *names], widths, strict=True))
        initialize(self)

    def forward(self, image: Image, style: Style | None = None) -> Image:
        """Translate an image."""
        self._require(image, style)
        levels = []
        x = image
        for stage in self.encoder.values():
            x = stage(x, style)
            levels.append(x)
        x = self.decoder[0](levels.pop(), style)
        for stage in self.decoder[1:]:
            x = stage(torch.cat([levels.pop(), x], dim=1), style)
        return to_image(x)

    def features(self, image: Image, taps: Sequence[str], style: Style | None = None) -> dict[str, Tensor]:
        """Return the encoder's activations at the taps; nothing deeper is computed."""
        self._require(image, style)
        return tap(self.encoder, image, style, taps)

    def _require(self, image: Tensor, style: Style | None) -> None:
        advice = "resize or pad the image, or lower generator.depth"
        require_image("U-Net", image, multiple=self.size_multiple, least=self.least_side, advice=advice)
        require_style("U-Net", self.styles, style, image.shape[0])


def _down(widths: Sequence[int], level: int, norm: Norm, padding: str) -> Stage:
    outermost, innermost = level == 1, level == len(widths) - 1
    halve = convolution(widths[level - 1], widths[level], 4, stride=2, padding=padding, bias=not norm.shifts)
    if innermost:
        return Stage(halve)
    normalize = nn.Identity() if outermost else norm(widths[level])
    return Stage(halve, normalize, nn.LeakyReLU(0.2, inplace=True))


def _up(widths: Sequence[int], level: int, norm: Norm, padding: str, upsampling: str, noise: Dropout) -> Stage:
    outermost, innermost = level == 1, level == len(widths) - 1
    inputs = widths[level] if innermost else 2 * widths[level]
    bias = outermost or not norm.shifts
    double = doubling(upsampling, inputs, widths[level - 1], kernel=4, padding=padding, bias=bias)
    if outermost:
        return Stage(nn.ReLU(inplace=True), double)
    drop = noise if level > 4 and not innermost else nn.Identity()
    return Stage(nn.ReLU(inplace=True), double, norm(widths[level - 1]), drop)
