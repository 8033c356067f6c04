"""Networks as the authors of CycleGAN and CUT published them, where their code differs from ganstyle's own.

Both are here for weights that were trained with that code: strided convolutions are padded with zeros while all others
reflect, and sides may be halved and doubled through a blur (Zhang 2019, "Making convolutional networks shift-invariant
again"), as CUT does unless told otherwise.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganstyle.nn import hourglass
from ganstyle.nn.arguments import records_arguments, require_count
from ganstyle.nn.blocks import Convolution, Dropout, Residual, Stage, convolution
from ganstyle.nn.generator import require_image, tap, to_image
from ganstyle.nn.initialize import initialize
from ganstyle.nn.norms import Norm, Style
from ganstyle.nn.patchgan import judge
from ganstyle.types import Image, Judgement


class Blur(Convolution):
    """Average each channel over 3 x 3 pixels with the weights of (1, 2, 1) / 4 along both axes, at every second one.

    The edge is reflected. Nothing is learned, and nothing is stored with the weights.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, 3, 2, 1, groups=channels, bias=False, padding_mode="reflect")
        del self.weight
        self.register_buffer("weight", binomial(3, channels), persistent=False)


def binomial(side: int, channels: int) -> Float[Tensor, "channels 1 side side"]:
    """Return the binomial blur of sum 1, of 3 x 3 or 4 x 4 pixels, once for every channel."""
    line = torch.tensor({3: [1.0, 2.0, 1.0], 4: [1.0, 3.0, 3.0, 1.0]}[side])
    kernel = torch.outer(line, line)
    return (kernel / kernel.sum()).repeat(channels, 1, 1, 1)


@records_arguments
class AuthorsResNet(nn.Module):
    """The residual generator of the public CycleGAN code, and with both blurs that of CUT.

    Sides must be multiples of 4, and at least 8 pixels. `blurred_down` convolves at stride 1, then blurs to half the
    sides; `blurred_up` enlarges by the blur (1, 3, 3, 1) / 4, which is bilinear, then convolves. Taps are named as
    ResNet's. Source: Zhu et al. 2017, appendix 7.2; Park et al. 2020, appendix C.1; Zhang 2019.
    """

    size_multiple = hourglass.SIZE_MULTIPLE
    least_side = hourglass.LEAST_SIDE
    styles = 0
    arguments: dict[str, Any]

    def __init__(
        self,
        *,
        blocks: int = 9,
        channels: int = 64,
        norm: str = "instance",
        blurred_down: bool = False,
        blurred_up: bool = False,
        dropout: float = 0.0,
        dropout_at_test: bool = False,
        statistics_at_test: str = "batch",
    ) -> None:
        super().__init__()
        require_count("generator.blocks", blocks)
        require_count("generator.channels", channels)
        norms, noise = Norm(norm, statistics_at_test), Dropout(dropout, at_test=dropout_at_test)
        middle = {f"block{number}": _block(4 * channels, norms, noise) for number in range(1, blocks + 1)}
        stem = convolution(3, channels, 7, padding="reflect", bias=not norms.shifts)
        self.encoder = nn.ModuleDict(
            {
                "stem": Stage(stem, norms(channels), nn.ReLU(inplace=True)),
                "down1": _down(channels, norms, blurred_down),
                "down2": _down(2 * channels, norms, blurred_down),
                **middle,
            }
        )
        self.decoder = Stage(
            _up(4 * channels, norms, blurred_up),
            _up(2 * channels, norms, blurred_up),
            convolution(channels, 3, 7, padding="reflect"),
        )
        self.feature_channels: Mapping[str, int] = hourglass.feature_channels(
            self.encoder, hourglass.Widths.of(channels)
        )
        initialize(self)

    def forward(self, image: Image) -> Image:
        """Translate an image."""
        self._require(image)
        x = image
        for stage in self.encoder.values():
            x = stage(x)
        return to_image(self.decoder(x))

    def features(self, image: Image, taps: Sequence[str], style: Style | None = None) -> dict[str, Tensor]:
        """Return the encoder's activations at the taps; nothing deeper is computed."""
        self._require(image)
        return tap(self.encoder, image, style, taps)

    def _require(self, image: Tensor) -> None:
        advice = "resize or pad the image"
        require_image("ResNet", image, multiple=self.size_multiple, least=self.least_side, advice=advice)


def _block(channels: int, norm: Norm, noise: Dropout) -> Residual:
    first, second = (convolution(channels, channels, 3, padding="reflect", bias=not norm.shifts) for _ in range(2))
    return Residual(first, norm(channels), nn.ReLU(inplace=True), noise, second, norm(channels))


def _down(inputs: int, norm: Norm, blurred: bool) -> Stage:
    convolve = convolution(inputs, 2 * inputs, 3, stride=1 if blurred else 2, bias=not norm.shifts)
    after = [Blur(2 * inputs)] if blurred else []
    return Stage(convolve, norm(2 * inputs), nn.ReLU(inplace=True), *after)


def _up(inputs: int, norm: Norm, blurred: bool) -> Stage:
    outputs, bias = inputs // 2, not norm.shifts
    if blurred:
        enlarge = [nn.Upsample(scale_factor=2, mode="bilinear"), convolution(inputs, outputs, 3, bias=bias)]
    else:
        enlarge = [nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, output_padding=1, bias=bias)]
    return Stage(*enlarge, norm(outputs), nn.ReLU(inplace=True))


@records_arguments
class BlurredPatchGAN(nn.Module):
    """PatchGAN whose halvings are a convolution at stride 1, then a blur: CUT's discriminator.

    `layers` halvings widen from `channels` to at most 8 times as many, then come a layer at stride 1 and the logits.
    Source: Isola et al. 2017, section 6.1.2; Zhang 2019; used by Park et al. 2020.
    """

    arguments: dict[str, Any]

    def __init__(
        self,
        *,
        in_channels: int = 3,
        channels: int = 64,
        layers: int = 3,
        norm: str = "instance",
        statistics_at_test: str = "batch",
    ) -> None:
        super().__init__()
        require_count("discriminator.layers", layers)
        require_count("discriminator.channels", channels)
        self.in_channels = in_channels
        self.least_side = 3 * 2**layers
        widths = [in_channels, *(channels * min(2**n, 8) for n in range(layers + 1))]
        norms = Norm(norm, statistics_at_test)
        self.layers = nn.ModuleList()
        for number, (inputs, outputs) in enumerate(pairwise(widths)):
            norm_here = norms if number else Norm("none")
            convolve = convolution(inputs, outputs, 4, bias=not norm_here.shifts)
            after = [Blur(outputs)] if number < layers else []
            self.layers.append(Stage(convolve, norm_here(outputs), nn.LeakyReLU(0.2, inplace=True), *after))
        self.logits = convolution(widths[-1], 1, 4)
        initialize(self)

    def forward(self, image: Float[Tensor, "batch channels height width"]) -> tuple[Judgement, ...]:
        """Judge an image (or images side by side in channels) in one scale."""
        advice = "use larger crops, or lower discriminator.layers"
        require_image("PatchGAN", image, channels=self.in_channels, least=self.least_side, advice=advice)
        return (judge(image, self.layers, self.logits),)
