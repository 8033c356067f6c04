"""The residual generator of CycleGAN."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ganstyle.nn import hourglass
from ganstyle.nn.arguments import records_arguments, require_count
from ganstyle.nn.blocks import Dropout, Residual, convolution
from ganstyle.nn.generator import require_image, require_style, tap, to_image
from ganstyle.nn.initialize import initialize, initialize_without_norms
from ganstyle.nn.norms import Norm, Style
from ganstyle.types import Image


@records_arguments
class ResNet(nn.Module):
    """Two halvings, `blocks` residual blocks, two doublings: repaints without moving things.

    Sides must be multiples of 4, and at least 8 pixels. Taps: image, stem, down1, down2, block1, block2, ...; the
    first ones after their norm and ReLU. `dropout` acts between the two convolutions of a block.
    Source: Zhu et al. 2017, appendix 7.2, after Johnson et al. 2016.
    """

    size_multiple = hourglass.SIZE_MULTIPLE
    least_side = hourglass.LEAST_SIDE
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
        require_count("generator.blocks", blocks)
        require_count("generator.channels", channels)
        self.styles = styles
        norms, widths = Norm(norm, statistics_at_test, styles), hourglass.Widths.of(channels)
        middle = [
            _block(4 * channels, norms, padding, Dropout(dropout, at_test=dropout_at_test)) for _ in range(blocks)
        ]
        self.encoder = hourglass.encoder(middle, widths=widths, kernel=7, norm=norms, padding=padding)
        self.decoder = hourglass.decoder(widths=widths, kernel=7, norm=norms, padding=padding, upsampling=upsampling)
        self.feature_channels: Mapping[str, int] = hourglass.feature_channels(self.encoder, widths)
        initialize(self)
        if norm == "none":
            initialize_without_norms(self)

    def forward(self, image: Image, style: Style | None = None) -> Image:
        """Translate an image, each in its style where there are several."""
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
        advice = "resize or pad the image"
        require_image("ResNet", image, multiple=self.size_multiple, least=self.least_side, advice=advice)
        require_style("ResNet", self.styles, style, image.shape[0])


def _block(channels: int, norm: Norm, padding: str, noise: Dropout) -> Residual:
    first, second = (convolution(channels, channels, 3, padding=padding, bias=not norm.shifts) for _ in range(2))
    return Residual(first, norm(channels), nn.ReLU(inplace=True), noise, second, norm(channels))
