"""Discriminators that judge every patch of an image on its own."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from ganstyle.nn.arguments import records_arguments, require_count
from ganstyle.nn.blocks import Stage, convolution
from ganstyle.nn.generator import require_image
from ganstyle.nn.initialize import initialize
from ganstyle.nn.norms import Norm
from ganstyle.types import Judgement


@records_arguments
class PatchGAN(nn.Module):
    """Judges overlapping patches: 70 x 70 pixels with the default 3 layers.

    `layers` halvings widen from `channels` to at most 8 times as many; then, unless `stride_one` is off, one layer
    at stride 1, and the logits. Norms stand everywhere but first and last; `spectral` bounds every layer's Lipschitz
    constant (Miyato et al. 2018). Source: Isola et al. 2017, section 6.1.2.
    """

    arguments: dict[str, Any]

    def __init__(
        self,
        *,
        in_channels: int = 3,
        channels: int = 64,
        layers: int = 3,
        norm: str = "instance",
        spectral: bool = False,
        stride_one: bool = True,
        statistics_at_test: str = "batch",
    ) -> None:
        super().__init__()
        require_count("discriminator.layers", layers)
        require_count("discriminator.channels", channels)
        self.in_channels = in_channels
        self.least_side = _least_side(layers, stride_one)
        widths = [channels * min(2**n, 8) for n in range(layers + stride_one)]
        strides = [2] * layers + [1] * stride_one
        norms = Norm(norm, statistics_at_test)
        self.layers = nn.ModuleList([_layer(in_channels, widths[0], 2, Norm("none"))])
        for inputs, outputs, stride in zip(widths, widths[1:], strides[1:], strict=False):
            self.layers.append(_layer(inputs, outputs, stride, norms))
        self.logits = convolution(widths[-1], 1, 4)
        initialize(self)
        if spectral:
            bound_lipschitz(self)

    def forward(self, image: Float[Tensor, "batch channels height width"]) -> tuple[Judgement, ...]:
        """Judge an image (or images side by side in channels) in one scale."""
        advice = "use larger crops, or lower discriminator.layers"
        require_image("PatchGAN", image, channels=self.in_channels, least=self.least_side, advice=advice)
        return (judge(image, self.layers, self.logits),)


@records_arguments
class Pixel(nn.Module):
    """Judges every pixel by its own color alone: the 1 x 1 "PixelGAN" of Isola et al. 2017, section 6.1.2."""

    arguments: dict[str, Any]

    def __init__(
        self,
        *,
        in_channels: int = 3,
        channels: int = 64,
        norm: str = "instance",
        spectral: bool = False,
        statistics_at_test: str = "batch",
    ) -> None:
        super().__init__()
        require_count("discriminator.channels", channels)
        self.in_channels = in_channels
        norms = Norm(norm, statistics_at_test)
        first = Stage(convolution(in_channels, channels, 1), nn.LeakyReLU(0.2, inplace=True))
        widen = convolution(channels, 2 * channels, 1, bias=not norms.shifts)
        second = Stage(widen, norms(2 * channels), nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.ModuleList([first, second])
        self.logits = convolution(2 * channels, 1, 1, bias=not norms.shifts)
        initialize(self)
        if spectral:
            bound_lipschitz(self)

    def forward(self, image: Float[Tensor, "batch channels height width"]) -> tuple[Judgement, ...]:
        """Judge an image (or images side by side in channels) in one scale."""
        require_image("Pixel", image, channels=self.in_channels, least=2, advice="use larger crops")
        return (judge(image, self.layers, self.logits),)


@records_arguments
class MultiScale(nn.Module):
    """Equal PatchGANs, each judging the image at half the size of the one before.

    Source: Wang et al. 2018 (pix2pixHD), section 3.2.
    """

    arguments: dict[str, Any]

    def __init__(
        self,
        *,
        scales: int = 3,
        in_channels: int = 3,
        channels: int = 64,
        layers: int = 3,
        norm: str = "instance",
        spectral: bool = False,
        stride_one: bool = True,
        statistics_at_test: str = "batch",
    ) -> None:
        super().__init__()
        require_count("discriminator.scales", scales)
        self.in_channels = in_channels
        self.critics = nn.ModuleList(
            PatchGAN(
                in_channels=in_channels,
                channels=channels,
                layers=layers,
                norm=norm,
                spectral=spectral,
                stride_one=stride_one,
                statistics_at_test=statistics_at_test,
            )
            for _ in range(scales)
        )
        self.least_side = (_least_side(layers, stride_one) - 1) * 2 ** (scales - 1) + 1

    def forward(self, image: Float[Tensor, "batch channels height width"]) -> tuple[Judgement, ...]:
        """Judge an image (or images side by side in channels), finest scale first."""
        advice = "use larger crops, or lower discriminator.scales or discriminator.layers"
        require_image("MultiScale", image, channels=self.in_channels, least=self.least_side, advice=advice)
        judgements: list[Judgement] = []
        for critic in self.critics:
            image = F.avg_pool2d(image, 3, 2, 1, count_include_pad=False) if judgements else image
            judgements += critic(image)
        return tuple(judgements)


def _layer(inputs: int, outputs: int, stride: int, norm: Norm) -> Stage:
    convolve = convolution(inputs, outputs, 4, stride=stride, bias=not norm.shifts)
    return Stage(convolve, norm(outputs), nn.LeakyReLU(0.2, inplace=True))


def _least_side(layers: int, stride_one: bool) -> int:
    """Return the smallest side that leaves a logit: each layer of stride 1 and kernel 4 takes a row off."""
    reduction: int = 2**layers
    return reduction * (3 if stride_one else 2)


def judge(image: Tensor, layers: nn.ModuleList, logits: nn.Module) -> Judgement:
    """Run the layers, keep what each one saw, and end with the logits."""
    seen = [image]
    for layer in layers:
        seen.append(layer(seen[-1]))
    return Judgement(logits(seen[-1]), tuple(seen[1:]))


def bound_lipschitz(network: nn.Module) -> None:
    """Divide every convolution's weight by its largest singular value, by power iteration (Miyato et al. 2018)."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d):
            spectral_norm(layer)
