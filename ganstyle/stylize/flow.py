"""A network as a chain of maps: every layer is computed once, in strips, with the statistics of the whole picture."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import cast

import torch
from torch import Tensor, nn

from ganstyle.errors import ConfigError
from ganstyle.nn.authors import AuthorsResNet
from ganstyle.nn.blocks import Dropout, Residual
from ganstyle.nn.light import Light
from ganstyle.nn.microast import EPSILON, MicroASTStyle, Modulation, Touch, in_range, to_unit
from ganstyle.nn.microast import Residual as Modulated
from ganstyle.nn.norms import ConditionalInstanceNorm, Style
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.transform_net import FastStyle, Same, SameTransposed, TransformNet, to_bytes
from ganstyle.nn.unet import UNet
from ganstyle.nn.upsample import NearestConvolution
from ganstyle.stylize.maps import Map, Moments
from ganstyle.stylize.operations import (
    Convolved,
    Joined,
    Noisy,
    Pointwise,
    Shuffled,
    Sum,
    normalized,
    resized,
    resized_and_convolved,
    transposed,
)
from ganstyle.stylize.store import Keeper

EPS = 1e-5
"""Of the norm inside ConditionalInstanceNorm: PyTorch's own."""


def flow(network: nn.Module, image: Map, keeper: Keeper, *, style: Style | None = None, seed: int = 0) -> Map:
    """Return the network's picture of an image, every layer but the last computed already.

    The network is taken in evaluation. `style` is for one image; `seed` is that of dropout that acts at test.
    Raises ConfigError for a network whose layers are not known here.
    """
    stream = _Stream(keeper, style, seed)
    if isinstance(network, UNet):
        return Pointwise(_unet(network, image, stream), torch.tanh)
    if isinstance(network, ResNet | AuthorsResNet | Light):
        x = stream.extend(image, [*network.encoder.values(), network.decoder])
        if isinstance(network, Light):
            x = stream.extend(x, [network.soft_color])
            for skip in network.skips:
                x = Sum(stream.settled(x), stream.extend(image, [skip]))
        return Pointwise(x, torch.tanh)
    if isinstance(network, TransformNet):
        layers = [*network.encoder.values(), network.decoder]
        return Pointwise(stream.extend(Pointwise(image, to_bytes), layers), network.from_bytes)
    if isinstance(network, FastStyle):
        return Pointwise(stream.extend(Pointwise(image, to_bytes), [network.layers]), network.from_tanh)
    if isinstance(network, MicroASTStyle):
        return Pointwise(_microast(network, Pointwise(image, to_unit), stream), in_range)
    raise ConfigError(f"a {type(network).__name__} cannot be run in strips; give a smaller picture or more memory.")


def _unet(network: UNet, image: Map, stream: "_Stream") -> Map:
    """Follow UNet.forward: each level of the decoder sees the encoder's, too."""
    levels = []
    for stage in network.encoder.values():
        image = stream.settled(stream.extend(image, [stage]))
        levels.append(image)
    del image
    x = stream.extend(levels.pop(), [network.decoder[0]])
    for stage in network.decoder[1:]:
        x = Joined(levels.pop(), stream.settled(x))
        x = stream.extend(x, [stage])
    return x


def _microast(network: MicroASTStyle, image: Map, stream: "_Stream") -> Map:
    """Follow the encoder, then Decoder.forward: deep touch before shallow."""
    encoder, decoder, (shallow, deep) = network.content_encoder, network.decoder, network.touches
    x = stream.extend(image, [encoder.enc1, encoder.enc2])
    x = stream.modulated(stream.touched(x, deep), decoder.dec1, deep.modulation)
    x = stream.modulated(stream.touched(x, shallow), decoder.dec2, shallow.modulation)
    return stream.extend(x, [decoder.dec3])


def _leaves(layers: Iterable[nn.Module]) -> Iterator[nn.Module]:
    """Unpack rows of layers, so that nobody holds on to a map that only the next layer needs."""
    for layer in layers:
        if isinstance(layer, nn.Sequential) and not isinstance(layer, NearestConvolution):
            yield from _leaves(layer)
        else:
            yield layer


@dataclass
class _Stream:
    """What all layers of one picture share."""

    keeper: Keeper
    style: Style | None
    seed: int

    def __post_init__(self) -> None:
        self._draws = count()

    def settled(self, x: Map) -> Map:
        """Have a map stored if what comes next would compute it more than once."""
        return self.keeper.keep(x, measure=False) if x.costly else x

    def extend(self, x: Map, layers: Iterable[nn.Module]) -> Map:
        """Put layers behind a map."""
        for layer in _leaves(layers):
            x = self._extend(x, layer)
        return x

    def modulated(self, x: Map, block: Modulated, by: Modulation | None = None) -> Map:
        """Put one of MicroAST's residual blocks behind a map."""
        x = self.settled(x)
        inner = Pointwise(self._convolved(x, block.conv1, by), torch.relu)
        return Sum(self._convolved(inner, block.conv2, by), x)

    def _convolved(self, x: Map, layer: nn.Conv2d, by: Modulation | None) -> Map:
        x = self.settled(x)
        seen = Convolved(x, layer)
        if by is None:
            return seen
        scale, shift = by.scale[0], by.shift[0]
        return Sum(Pointwise(seen, lambda strip: scale * strip), Pointwise(x, lambda strip: shift * strip))

    def touched(self, x: Map, touch: Touch) -> Map:
        """Give every channel the mean and deviation of a touch; what it has is measured without bias."""
        stored = self.keeper.keep(x, measure=True)
        moments = cast(Moments, stored.moments)
        variance = moments.squares / max(1, moments.count - 1)
        return normalized(stored, moments.mean, variance, EPSILON, touch.spread.flatten(), touch.mean.flatten())

    def _extend(self, x: Map, layer: nn.Module) -> Map:
        match layer:
            case nn.Identity():
                return x
            case Residual():
                x = self.settled(x)
                return Sum(self.extend(x, [layer.layers]), x)
            case Modulated():
                return self.modulated(x, layer)
            case Same():
                return Convolved(self.settled(x), layer.symmetric())
            case SameTransposed():
                return transposed(self.settled(x), layer.symmetric())
            case nn.Conv2d():
                return Convolved(self.settled(x), layer)
            case nn.ConvTranspose2d():
                return transposed(self.settled(x), layer)
            case NearestConvolution():
                return resized_and_convolved(self.settled(x), layer)
            case nn.Upsample():
                return resized(self.settled(x), layer)
            case nn.PixelShuffle():
                return Shuffled(x)
            case Dropout():
                return self._noisy(x, layer)
            case nn.ReLU() | nn.LeakyReLU() | nn.Tanh():
                return Pointwise(x, layer)
        return self._normalized(x, layer)

    def _noisy(self, x: Map, layer: Dropout) -> Map:
        if not layer.draws_at_test:
            return x
        return Noisy(x, layer.probability, self.seed, next(self._draws))

    def _normalized(self, x: Map, layer: nn.Module) -> Map:
        if isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None and layer.running_var is not None:
            return normalized(x, layer.running_mean, layer.running_var, layer.eps, layer.weight, layer.bias)
        if not isinstance(layer, nn.BatchNorm2d | nn.InstanceNorm2d | ConditionalInstanceNorm):
            raise ConfigError(f"a {type(layer).__name__} cannot be run in strips; give a smaller picture.")
        stored = self.keeper.keep(x, measure=True)
        eps, scale, shift = self._affine(layer)
        moments = cast(Moments, stored.moments)
        return normalized(stored, moments.mean, moments.variance, eps, scale, shift)

    def _affine(self, layer: nn.Module) -> tuple[float, Tensor | None, Tensor | None]:
        """What a norm does after it has normalized."""
        if not isinstance(layer, ConditionalInstanceNorm):
            known = cast(nn.BatchNorm2d | nn.InstanceNorm2d, layer)
            return known.eps, known.weight, known.bias
        scale, shift = layer.affine(cast(Tensor, self.style))
        return EPS, scale[0], shift[0]
