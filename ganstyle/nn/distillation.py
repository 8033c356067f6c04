"""Teach a narrow VGG to see what a wide one sees.

Linear heads show how much of the teacher's features the narrow ones hold (FitNets: Romero et al. 2015, eq. 3).
The kernel asks that they also measure like the teacher's, because losses use the narrow features without heads.
"""

from collections.abc import Mapping
from typing import TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganstyle.nn.vgg import Perceptual
from ganstyle.nn.vgg_layers import relu
from ganstyle.nn.vgg_weights import Kernel, Weights
from ganstyle.types import Features, Image, Scalar

Rows: TypeAlias = Float[Tensor, "positions _"]


class Teachers(nn.Module):
    """Two frozen VGGs: a real one for the shallow layers it has, an already distilled one for those beyond.

    Where the distilled one brings a 1x1 map to VGG's widths, its features pass through it.
    """

    def __init__(self, real: Weights, distilled: Weights) -> None:
        super().__init__()
        self.real = Perceptual(real)
        self.distilled = Perceptual(distilled)
        self.heads = distilled.heads

    def source(self, layer: str) -> str:
        """Say who teaches a layer: real, distilled and widened, or distilled as it is."""
        if layer in self.real.layers:
            return "real"
        return "distilled, widened" if layer in self.heads else "distilled, narrow"

    @torch.no_grad()
    def forward(self, image: Image, layers: tuple[str, ...]) -> dict[str, Tensor]:
        """Return what the student should see at `layers`."""
        deep = [layer for layer in layers if layer not in self.real.layers]
        features: dict[str, Tensor] = self.real(image, [layer for layer in layers if layer not in deep])
        for layer, activation in self.distilled(image, deep).items():
            features[layer] = self._widened(layer, activation)
        return features

    def _widened(self, layer: str, activation: Tensor) -> Tensor:
        if layer not in self.heads:
            return activation
        weight, bias = self.heads[layer]
        return F.relu(F.conv2d(activation, weight, bias))


def rows_of(features: Tensor, positions: Tensor) -> Rows:
    """Pick features at some positions, counted image by image and row by row, one position a row."""
    return features.movedim(1, -1).flatten(0, -2)[positions]


def fitted_head(seen: Rows, shown: Rows) -> nn.Linear:
    """Fit the map from the student's features to the teacher's by least squares: a 1x1 convolution, were it applied."""
    mean, target = seen.double().mean(0), shown.double().mean(0)
    centred = seen.double() - mean
    covariance = centred.T @ centred
    ridge = 1e-6 * covariance.diagonal().mean() * torch.eye(len(covariance), dtype=torch.float64)
    solution = torch.linalg.solve(covariance + ridge, centred.T @ (shown.double() - target))
    head = nn.Linear(seen.shape[1], shown.shape[1])
    head.load_state_dict({"weight": solution.T.float(), "bias": (target - mean @ solution).float()})
    return head


def unexplained(prediction: Tensor, target: Tensor) -> Scalar:
    """Return the share of the target's variance that a prediction misses: 0 is perfect, 1 is no better than the mean.

    One minus the coefficient of determination over all entries.
    """
    return F.mse_loss(prediction, target) / target.var(correction=0)


def unlike(student: Rows, teacher: Rows) -> Scalar:
    """Compare the kernels of two networks' features at the same positions.

    A kernel holds the inner products of the features at any two positions, scaled to a mean diagonal of 1. Content
    distances are sums of its entries, and the inner product of two Gram matrices is a sum of its squares,
    <A'A, B'B> = |AB'|^2: features with equal kernels give equal content and style losses, whatever their widths.
    Returns the unexplained share of the teacher's kernel; 0 if equal (Tung & Mori 2019, eq. 4, without their row norm).
    """
    return unexplained(_kernel(student), _kernel(teacher))


def _kernel(rows: Rows) -> Float[Tensor, "positions positions"]:
    kernel = rows @ rows.T
    return kernel / kernel.diagonal().mean()


def pruned(weights: Weights, features: Features, multiple: int) -> Weights:
    """Take out channels that are zero in all of a network's features, by relu name: nothing else changes.

    As many stay as make a layer's width a multiple of `multiple`: odd widths cost CPUs more than they save.
    """
    kernels: dict[str, Kernel] = {}
    given = list(range(3))
    for name, (weight, bias) in weights.convolutions.items():
        kept = _kept(features[relu(name)], multiple)
        kernels[name] = Kernel(weight[kept][:, given], bias[kept])
        given = kept
    return Weights(weights.origin, kernels, weights.color, weights.padding)


def _kept(features: Tensor, multiple: int) -> list[int]:
    """List the channels that are ever positive, and the first of the others up to the next multiple."""
    alive = features.amax(dim=(0, 2, 3)) > 0
    width = -(-int(alive.sum()) // multiple) * multiple
    return sorted(alive.logical_not().long().argsort(stable=True)[:width].tolist())


def scaled(weights: Weights, means: Mapping[str, float]) -> Weights:
    """Divide every layer's activations by its mean, by relu name, without changing what is computed otherwise.

    A ReLU lets positive factors pass, so each layer takes back the factor of the one before. The normalised VGG of
    Gatys et al. 2016 (section 2) is scaled so, too: then one loss weight serves all layers.
    """
    kernels: dict[str, Kernel] = {}
    before = 1.0
    for name, (weight, bias) in weights.convolutions.items():
        mean = means[relu(name)]
        kernels[name] = Kernel(weight * (before / mean), bias / mean)
        before = mean
    return Weights(weights.origin, kernels, weights.color, weights.padding)


def weights_of(network: Perceptual, origin: str) -> Weights:
    """Take the weights out of a network with reflection padding."""
    kernels = {layer.replace("relu", "conv"): _kernel_of(network.convolutions[layer]) for layer in network.layers}
    return Weights(origin, kernels, _kernel_of(network.color), "reflect")


def _kernel_of(layer: nn.Module) -> Kernel:
    assert isinstance(layer, nn.Conv2d)
    assert layer.bias is not None
    return Kernel(layer.weight.detach().clone(), layer.bias.detach().clone())


def mean_activations(features: Features) -> dict[str, float]:
    """Return each layer's mean over images, channels and positions."""
    return {layer: activation.mean().item() for layer, activation in features.items()}
