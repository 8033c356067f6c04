"""The light generator for deployment."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganstyle.errors import ConfigError, unknown
from ganstyle.nn import hourglass
from ganstyle.nn.arguments import records_arguments, require_count
from ganstyle.nn.blocks import PADDINGS, Convolution, Residual, convolution
from ganstyle.nn.generator import require_image, require_style, tap, to_image
from ganstyle.nn.initialize import initialize, initialize_without_norms
from ganstyle.nn.norms import Norm, Style
from ganstyle.types import Image


@records_arguments
class Light(nn.Module):
    """A narrow ResNet of depthwise-separable blocks, 0.23 million parameters: for browsers, phones and CPUs.

    Sides must be multiples of 4, and at least 8 pixels. Taps: image, stem, down1, down2, block1, block2, ...; the
    first ones after their norm and ReLU. A block is two of the separable convolutions of Howard et al. 2017
    (MobileNet), inside a residual; resizing before convolving is Odena et al. 2016's cure for checkerboards.

    Instance norm forgets how bright, contrasty and colorful a picture is: night and snow look alike to what follows.
    With `color_skip` the source's coarse colors, mixed linearly (not at all at first), are added before the tanh.

    With `image_skip` the source at half its resolution is added there, too: the network paints what differs, and the
    finest strokes. The coarse colors, which are in it already, then begin at zero.

    With `soft_color` what the network paints has its color, gray taken away, blurred over 5 pixels: files hold color at
    half the resolution of light (JPEG's 4:2:0), and colored grain betrays a generator.

    `widths` gives single layers another width than `channels` does, as pruning leaves them: those of `stem`, `down1`,
    `trunk` (what the blocks add to), `up1`, `up2`, and the inner ones of `block1`, `block2`, ...
    Raises ConfigError for a layer that is not there.
    """

    size_multiple = hourglass.SIZE_MULTIPLE
    least_side = hourglass.LEAST_SIDE
    arguments: dict[str, Any]

    def __init__(
        self,
        *,
        blocks: int = 6,
        channels: int = 24,
        norm: str = "affine_instance",
        upsampling: str = "nearest",
        padding: str = "reflect",
        statistics_at_test: str = "batch",
        styles: int = 0,
        color_skip: bool = False,
        image_skip: bool = False,
        soft_color: bool = False,
        widths: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        require_count("generator.blocks", blocks)
        require_count("generator.channels", channels)
        self.styles = styles
        norms = Norm(norm, statistics_at_test, styles)
        self.widths: Mapping[str, int] = _widths(blocks, channels, widths or {})
        sides = hourglass.Widths(*(self.widths[name] for name in hourglass.Widths._fields))
        inner = [self.widths[f"block{number}"] for number in range(1, blocks + 1)]
        middle = [_block(sides.trunk, width, norms, padding) for width in inner]
        self.encoder = hourglass.encoder(middle, widths=sides, kernel=5, norm=norms, padding=padding)
        self.decoder = hourglass.decoder(widths=sides, kernel=5, norm=norms, padding=padding, upsampling=upsampling)
        self.feature_channels: Mapping[str, int] = hourglass.feature_channels(self.encoder, sides)
        initialize(self)
        if norm == "none":
            initialize_without_norms(self)
        self.color_skip = _skip(padding, 2, begins=0.0 if image_skip else 1.0) if color_skip else None
        self.image_skip = _skip(padding, 1, begins=1.0) if image_skip else None
        self.soft_color: nn.Module = _soft_color(padding) if soft_color else nn.Identity()

    def forward(self, image: Image, style: Style | None = None) -> Image:
        """Translate an image, each in its style where there are several."""
        self._require(image, style)
        x = image
        for stage in self.encoder.values():
            x = stage(x, style)
        x = self.soft_color(self.decoder(x, style))
        for skip in (self.color_skip, self.image_skip):
            if skip is not None:
                x = x + skip(image)
        return to_image(x)

    @property
    def skips(self) -> Sequence[nn.Module]:
        """What takes the source around the network; all are added before the tanh."""
        return [skip for skip in (self.color_skip, self.image_skip) if skip is not None]

    def features(self, image: Image, taps: Sequence[str], style: Style | None = None) -> dict[str, Tensor]:
        """Return the encoder's activations at the taps; nothing deeper is computed."""
        self._require(image, style)
        return tap(self.encoder, image, style, taps)

    def _require(self, image: Tensor, style: Style | None) -> None:
        advice = "resize or pad the image"
        require_image("Light", image, multiple=self.size_multiple, least=self.least_side, advice=advice)
        require_style("Light", self.styles, style, image.shape[0])


def _widths(blocks: int, channels: int, changed: Mapping[str, int]) -> dict[str, int]:
    """How wide every layer is, by name."""
    known = hourglass.Widths.of(channels)._asdict()
    known |= {f"block{number}": known["trunk"] for number in range(1, blocks + 1)}
    for name, width in changed.items():
        if name not in known:
            raise ConfigError(unknown("layer in generator.widths", name, known))
        require_count(f"generator.widths.{name}", width)
    return known | dict(changed)


def _block(outer: int, inner: int, norm: Norm, padding: str) -> Residual:
    first = _separable(outer, inner, padding, bias=not norm.shifts)
    second = _separable(inner, outer, padding, bias=not norm.shifts)
    return Residual(first, norm(inner), nn.ReLU(inplace=True), second, norm(outer))


def _separable(inputs: int, outputs: int, padding: str, *, bias: bool) -> nn.Sequential:
    each = convolution(inputs, inputs, 3, padding=padding, bias=False, groups=inputs)
    return nn.Sequential(each, convolution(inputs, outputs, 1, bias=bias))


def _skip(padding: str, octaves: int, *, begins: float) -> nn.Sequential:
    """Shrink by some octaves, mix colors, and spread smoothly: strokes and edges finer than that do not get through.

    It begins as so much of a smooth average, by which colors are not mixed.
    """
    fold = 2**octaves
    coarse = Convolution(3, 3, 2 * fold, fold, fold // 2, bias=False, padding_mode=PADDINGS[padding])
    with torch.no_grad():
        coarse.weight.copy_(begins * torch.eye(3)[:, :, None, None].expand_as(coarse.weight) / (2 * fold) ** 2)
    return nn.Sequential(coarse, *(nn.Upsample(scale_factor=2, mode="bilinear") for _ in range(octaves)))


def _soft_color(padding: str) -> nn.Module:
    """Leave the mean of the three channels as it is, and smooth what they differ from it by; nothing is learned."""
    blur = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    sharp = torch.zeros(5, 5)
    sharp[2, 2] = 1.0
    gray = torch.full((3, 3, 1, 1), 1 / 3)
    filters = gray * sharp + (torch.eye(3)[:, :, None, None] - gray) * torch.outer(blur, blur)
    layer = Convolution(3, 3, 5, 1, 2, bias=False, padding_mode=PADDINGS[padding])
    layer.weight = nn.Parameter(filters, requires_grad=False)
    return layer
