"""The initial weights of every network here."""

from math import prod

from torch import nn

from ganstyle.nn.blocks import Residual
from ganstyle.nn.norms import ConditionalInstanceNorm
from ganstyle.nn.upsample import PixelShuffle


def initialize(network: nn.Module) -> None:
    """Draw convolutions from Normal(0, 0.02) and norms' scales from Normal(1, 0.02); biases are 0.

    Source: Isola et al. 2017, section 6.2; norms after Radford et al. 2016; pixel shuffles after Aitken et al. 2017.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            _draw(layer, mean=0.0)
        if isinstance(layer, nn.BatchNorm2d | nn.InstanceNorm2d | ConditionalInstanceNorm):
            _draw(layer, mean=1.0)
    _copy_first_kernels(network)


def initialize_without_norms(generator: nn.Module) -> None:
    """Draw weights that keep activations at their size where no norm does, and the last layer's from Normal(0, 0.02).

    Residual blocks begin by changing nothing.

    Source: He et al. 2015, section 2.2; blocks after Zhang et al. 2019 (Fixup), section 3.
    """
    convolutions = [layer for layer in generator.modules() if isinstance(layer, nn.Conv2d)]
    for layer in convolutions:
        rectified = layer.groups == 1  # a depthwise one is half of a separable convolution
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu" if rectified else "linear")
    for part in generator.modules():
        if isinstance(part, nn.ConvTranspose2d):
            met = part.in_channels * prod(part.kernel_size) / prod(part.stride)  # by each value that comes out
            nn.init.normal_(part.weight, 0.0, (2 / met) ** 0.5)
        if isinstance(part, Residual):
            nn.init.zeros_([layer for layer in part.modules() if isinstance(layer, nn.Conv2d)][-1].weight)
    _draw(convolutions[-1], mean=0.0)
    _copy_first_kernels(generator)


def _copy_first_kernels(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, PixelShuffle):
            layer.copy_first_kernels()


def _draw(layer: nn.Module, mean: float) -> None:
    if isinstance(layer.weight, nn.Parameter):
        nn.init.normal_(layer.weight, mean, 0.02)
    if isinstance(layer.bias, nn.Parameter):
        nn.init.zeros_(layer.bias)
