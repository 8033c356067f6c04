"""MicroAST, the small network for any style of Wang et al. 2023, and what becomes of it for one style.

"MicroAST: Towards Super-Fast Ultra-Resolution Arbitrary Style Transfer", AAAI 2023.

Two encoders of one layout see the photograph and the painting; from the painting's features the modulator makes one
scale and one shift per channel for each of two residual blocks. The decoder matches the photograph's feature statistics
to the painting's (AdaIN, Huang & Belongie 2017) and runs the modulated blocks, deep before shallow. So all that a
painting contributes is four numbers per channel and block, its touch: kept, it leaves a plain network for one style.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganstyle.nn.arguments import records_arguments
from ganstyle.nn.blocks import Convolution
from ganstyle.nn.generator import require_image
from ganstyle.types import Image

CHANNELS = 64
EPSILON = 1e-5
SIZE_MULTIPLE, LEAST_SIDE = 4, 8
Map = Float[Tensor, "batch channels rows columns"]
OfStyle = Float[Tensor, "batch channels style_rows style_columns"]
Painting = Float[Tensor, "batch 3 style_height style_width"]
PerChannel = Float[Tensor, "batch channels 1 1"]


class Encoded(NamedTuple):
    """What an encoder sees at a quarter of the side."""

    shallow: Map
    """After one residual block."""
    deep: Map
    """After two."""


class Modulation(NamedTuple):
    """How a style changes one residual block: per channel."""

    scale: PerChannel
    shift: PerChannel


class Touch(NamedTuple):
    """All that a style does at one depth: per channel."""

    mean: PerChannel
    spread: PerChannel
    """Standard deviation."""
    scale: PerChannel
    shift: PerChannel

    @property
    def modulation(self) -> Modulation:
        """What happens inside the residual block."""
        return Modulation(self.scale, self.shift)


class Residual(nn.Module):
    """Two convolutions beside an identity, each changed by the style where there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = reflected(CHANNELS, CHANNELS, 3)
        self.conv2 = reflected(CHANNELS, CHANNELS, 3)

    def forward(self, x: Map, by: Modulation | None = None) -> Map:
        """Return the input plus the branch; a modulated convolution is `scale * conv(x) + shift * x`."""
        inner = torch.relu(_modulated(self.conv1, x, by))
        return x + _modulated(self.conv2, inner, by)


def _modulated(convolve: nn.Module, x: Map, by: Modulation | None) -> Map:
    seen: Map = convolve(x)
    return seen if by is None else by.scale * seen + by.shift * x


class Encoder(nn.Module):
    """A wide convolution, two halvings by depthwise and pointwise convolutions, two residual blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.enc1 = nn.Sequential(
            *(reflected(3, 16, 9), nn.ReLU()),
            *(reflected(16, 32, 3, stride=2, groups=16), nn.ReLU(), reflected(32, 32, 1), nn.ReLU()),
            *(reflected(32, 64, 3, stride=2, groups=32), nn.ReLU(), reflected(64, 64, 1), nn.ReLU()),
            Residual(),
        )
        self.enc2 = nn.Sequential(Residual())

    def forward(self, image: Image) -> Encoded:
        """Encode images, here in [0, 1]."""
        shallow = self.enc1(image)
        return Encoded(shallow, self.enc2(shallow))


class Modulator(nn.Module):
    """Says from a painting's features how each residual block of the decoder is changed."""

    def __init__(self) -> None:
        super().__init__()
        self.weight1, self.bias1, self.weight2, self.bias2 = (self._mean_of_depthwise() for _ in range(4))

    def forward(self, style: Encoded) -> tuple[Modulation, Modulation]:
        """Return the modulation from the shallow features, and from the deep ones."""
        shallow = Modulation(self.weight1(style.shallow), self.bias1(style.shallow))
        return shallow, Modulation(self.weight2(style.deep), self.bias2(style.deep))

    @staticmethod
    def _mean_of_depthwise() -> nn.Sequential:
        return nn.Sequential(reflected(CHANNELS, CHANNELS, 3, groups=CHANNELS), nn.AdaptiveAvgPool2d(1))


class Decoder(nn.Module):
    """Gives the photograph's features the painting's statistics, deep then shallow, and enlarges them to RGB."""

    def __init__(self) -> None:
        super().__init__()
        self.dec1 = Residual()
        self.dec2 = Residual()
        self.dec3 = nn.Sequential(
            *(doubled(), reflected(64, 32, 3, groups=32), nn.ReLU(), reflected(32, 32, 1), nn.ReLU()),
            *(doubled(), reflected(32, 16, 3, groups=16), nn.ReLU(), reflected(16, 16, 1), nn.ReLU()),
            reflected(16, 3, 9),
        )

    def forward(self, content: Encoded, shallow: Touch, deep: Touch) -> Image:
        """Return images near [0, 1]."""
        x = self.dec1(touched(content.deep, deep), deep.modulation)
        return self.dec3(self.dec2(touched(x, shallow), shallow.modulation))  # type: ignore[no-any-return]


class MicroAST(nn.Module):
    """The whole network, 471,987 parameters; sides of the photograph must be multiples of 4."""

    def __init__(self) -> None:
        super().__init__()
        self.content_encoder, self.style_encoder = Encoder(), Encoder()
        self.modulator, self.decoder = Modulator(), Decoder()

    def forward(self, image: Image, style: Painting) -> Image:
        """Restyle photographs by paintings, one each, of any size."""
        return in_range(self.decoder(self.content_encoder(to_unit(image)), *self.touches(style)))

    def touches(self, style: Painting) -> tuple[Touch, Touch]:
        """Return all that paintings contribute: their shallow touch and their deep one."""
        painting = self.style_encoder(to_unit(style))
        by = self.modulator(painting)
        shallow, deep = (Touch(*_statistics(seen), *how) for seen, how in zip(painting, by, strict=True))
        return shallow, deep


@records_arguments
class MicroASTStyle(nn.Module):
    """MicroAST for one painting: its touch in place of the network that found it.

    Sides must be multiples of 4, and at least 8 pixels. Made by `of`; built without, it has no style.
    """

    size_multiple, least_side, styles = SIZE_MULTIPLE, LEAST_SIDE, 0
    arguments: dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        self.content_encoder, self.decoder = Encoder(), Decoder()
        for depth in ("shallow", "deep"):
            self.register_buffer(depth, torch.zeros(len(Touch._fields), 1, CHANNELS, 1, 1))

    @classmethod
    @torch.no_grad()
    def of(cls, network: MicroAST, style: Image) -> "MicroASTStyle":
        """Take what restyles photographs from a whole network, and the touch of one painting of any size."""
        fixed = cls()
        fixed.content_encoder.load_state_dict(network.content_encoder.state_dict())
        fixed.decoder.load_state_dict(network.decoder.state_dict())
        for depth, touch in zip(("shallow", "deep"), network.touches(style), strict=True):
            fixed.get_buffer(depth).copy_(torch.stack(touch))
        return fixed

    @property
    def touches(self) -> tuple[Touch, Touch]:
        """The painting's, shallow and deep."""
        shallow, deep = (Touch(*self.get_buffer(depth)) for depth in ("shallow", "deep"))
        return shallow, deep

    def forward(self, image: Image) -> Image:
        """Restyle photographs."""
        multiple, least = self.size_multiple, self.least_side
        require_image("MicroAST", image, multiple=multiple, least=least, advice="resize or pad the image")
        return in_range(self.decoder(self.content_encoder(to_unit(image)), *self.touches))


def to_unit(image: Tensor) -> Tensor:
    """Bring [-1, 1] to [0, 1]."""
    return (image + 1) / 2


def in_range(x: Tensor) -> Tensor:
    """Bring numbers near [0, 1] to [-1, 1] and clip them."""
    return (2 * x - 1).clamp(-1, 1)


def touched(content: Map, touch: Touch) -> Map:
    """Give each channel of the content the mean and deviation of a touch (Huang & Belongie 2017, equation 8)."""
    mean, spread = _statistics(content)
    return (content - mean) * (touch.spread / spread) + touch.mean


def _statistics(x: Map) -> tuple[PerChannel, PerChannel]:
    """Return mean and standard deviation of every channel."""
    variance, mean = torch.var_mean(x, dim=(2, 3), keepdim=True)
    return mean, (variance + EPSILON).sqrt()


def reflected(inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Make a convolution padded by reflection so that stride 1 keeps the size."""
    border = kernel // 2
    return Convolution(inputs, outputs, kernel, stride, border, groups=groups, padding_mode="reflect")


def doubled() -> nn.Upsample:
    """Make the layer that doubles the sides, bilinear between pixel centers."""
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
