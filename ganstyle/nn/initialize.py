"""The initial weights of every network here."""

from torch import nn

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
    for layer in network.modules():
        if isinstance(layer, PixelShuffle):
            layer.copy_first_kernels()


def _draw(layer: nn.Module, mean: float) -> None:
    if isinstance(layer.weight, nn.Parameter):
        nn.init.normal_(layer.weight, mean, 0.02)
    if isinstance(layer.bias, nn.Parameter):
        nn.init.zeros_(layer.bias)
