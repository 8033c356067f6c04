"""MicroAST, the small network for any style of Wang et al. 2023.

"MicroAST: Towards Super-Fast Ultra-Resolution Arbitrary Style Transfer", AAAI 2023.

Two encoders of one layout see the photograph and the painting; from the painting's features the modulator makes one
scale and one shift per channel for each of two residual blocks. The decoder matches the photograph's feature statistics
to the painting's (AdaIN, Huang & Belongie 2017) and runs the modulated blocks, deep before shallow.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganstyle.errors import WeightsError
from ganstyle.nn.blocks import Convolution
from ganstyle.types import Image

CHANNELS = 64
EPSILON = 1e-5
Map = Float[Tensor, "batch channels rows columns"]


class Encoded(NamedTuple):
    """What an encoder sees at a quarter of the side."""

    shallow: Map
    """After one residual block."""
    deep: Map
    """After two."""


class Modulation(NamedTuple):
    """How a style changes one residual block: per channel, batch x channels x 1 x 1."""

    scale: Map
    shift: Map


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

    def forward(self, content: Encoded, style: Encoded, by: tuple[Modulation, Modulation]) -> Image:
        """Return images near [0, 1]."""
        shallow, deep = by
        x = self.dec1(adain(content.deep, style.deep), deep)
        return self.dec3(self.dec2(adain(x, style.shallow), shallow))  # type: ignore[no-any-return]


class MicroAST(nn.Module):
    """The whole network, 471,987 parameters; sides of the photograph must be multiples of 4."""

    def __init__(self) -> None:
        super().__init__()
        self.content_encoder, self.style_encoder = Encoder(), Encoder()
        self.modulator, self.decoder = Modulator(), Decoder()

    def forward(self, image: Image, style: Image) -> Image:
        """Restyle photographs by paintings, one each, of any size."""
        painting = self.style_encoder((style + 1.0) / 2.0)
        photograph = self.content_encoder((image + 1.0) / 2.0)
        result = self.decoder(photograph, painting, self.modulator(painting))
        return (2.0 * result - 1.0).clamp(-1.0, 1.0)  # type: ignore[no-any-return]


def adain(content: Map, style: Map) -> Map:
    """Give each channel of the content the mean and deviation of the style's (Huang & Belongie 2017, equation 8)."""
    spread, mean = torch.var_mean(content, dim=(2, 3), keepdim=True)
    wanted_spread, wanted_mean = torch.var_mean(style, dim=(2, 3), keepdim=True)
    ratio = ((wanted_spread + EPSILON) / (spread + EPSILON)).sqrt()
    return (content - mean) * ratio + wanted_mean


def reflected(inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Make a convolution padded by reflection so that stride 1 keeps the size."""
    border = kernel // 2
    return Convolution(inputs, outputs, kernel, stride, border, groups=groups, padding_mode="reflect")


def doubled() -> nn.Upsample:
    """Make the layer that doubles the sides, bilinear between pixel centers."""
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)


def load(tensors: Mapping[str, Tensor]) -> MicroAST:
    """Build the network from its published tensors; raises WeightsError when names or shapes are not its own."""
    network = MicroAST()
    named = {name.replace(".conv_layer", ""): tensor for name, tensor in tensors.items()}
    try:
        network.load_state_dict(named)
    except RuntimeError:
        raise WeightsError(
            f"these {len(tensors)} tensors are not the {len(network.state_dict())} of MicroAST."
        ) from None
    return network.eval()
