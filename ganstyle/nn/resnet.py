"""The residual generator of CycleGAN."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ganstyle.nn.arguments import records_arguments
from ganstyle.nn.blocks import Dropout, Residual, Stage, convolution, downsampling
from ganstyle.nn.generator import require_image, require_style, tap, to_image
from ganstyle.nn.initialize import initialize
from ganstyle.nn.norms import Norm, Style
from ganstyle.nn.upsample import upsampling as doubling
from ganstyle.types import Image


@records_arguments
class ResNet(nn.Module):
    """Two halvings, `blocks` residual blocks, two doublings: repaints without moving things.

    Sides must be multiples of 4, and at least 8 pixels. Taps: image, stem, down1, down2, block1, block2, ...; each
    after its norm and ReLU. `dropout` acts between the two convolutions of a block.

    Source: Zhu et al. 2017, appendix 7.2, after Johnson et al. 2016.
    """

    size_multiple = 4
    arguments: dict[str, Any]

    def __init__(
        self,
        *,
        blocks: int = 9,
        channels: int = 64,
        norm: str = "instance",
        upsampling: str = "transpose",
        padding: str = "reflect",
        dropout: float = 0.0,
        dropout_at_test: bool = False,
        statistics_at_test: str = "batch",
        styles: int = 0,
    ) -> None:
        super().__init__()
        self.styles = styles
        norms = Norm(norm, statistics_at_test, styles)
        noise = Dropout(dropout, at_test=dropout_at_test)
        widths = (channels, 2 * channels, 4 * channels)
        self.encoder = nn.ModuleDict(
            {
                "stem": _stem(widths[0], norms, padding),
                "down1": downsampling(widths[0], widths[1], norms, padding),
                "down2": downsampling(widths[1], widths[2], norms, padding),
                **{f"block{n}": _block(widths[2], norms, padding, noise) for n in range(1, blocks + 1)},
            }
        )
        self.decoder = Stage(
            _up(widths[2], widths[1], norms, padding, upsampling),
            _up(widths[1], widths[0], norms, padding, upsampling),
            convolution(widths[0], 3, 7, padding=padding),
        )
        deep = {f"block{n}": widths[2] for n in range(1, blocks + 1)}
        self.feature_channels: Mapping[str, int] = dict(
            image=3, stem=widths[0], down1=widths[1], down2=widths[2], **deep
        )
        initialize(self)

    def forward(self, image: Image, style: Style | None = None) -> Image:
        """Translate an image."""
        self._require(image, style)
        x = image
        for stage in self.encoder.values():
            x = stage(x, style)
        return to_image(self.decoder(x, style))

    def features(self, image: Image, taps: Sequence[str], style: Style | None = None) -> dict[str, Tensor]:
        """Return the encoder's activations at the taps; nothing deeper is computed."""
        self._require(image, style)
        return tap(self.encoder, image, style, taps)

    def _require(self, image: Tensor, style: Style | None) -> None:
        require_image("ResNet", image, multiple=4, least=8, advice="resize or pad the image")
        require_style("ResNet", self.styles, style, len(image))


def _stem(channels: int, norm: Norm, padding: str) -> Stage:
    return Stage(
        convolution(3, channels, 7, padding=padding, bias=not norm.shifts), norm(channels), nn.ReLU(inplace=True)
    )


def _block(channels: int, norm: Norm, padding: str, noise: Dropout) -> Residual:
    first, second = (convolution(channels, channels, 3, padding=padding, bias=not norm.shifts) for _ in range(2))
    return Residual(first, norm(channels), nn.ReLU(inplace=True), noise, second, norm(channels))


def _up(inputs: int, outputs: int, norm: Norm, padding: str, upsampling: str) -> Stage:
    double = doubling(upsampling, inputs, outputs, kernel=3, padding=padding, bias=not norm.shifts)
    return Stage(double, norm(outputs), nn.ReLU(inplace=True))
