"""PSNR against a known answer, and how far the simplest colour changes get without any learning."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ganstyle.types import Image

PEAK = 2.0
"""Width of the value range [-1, 1]."""


def psnr(image: Image, truth: Image) -> Float[Tensor, " batch"]:
    """Peak signal-to-noise ratio of each image in dB, computed in float64; infinite for equal images."""
    error = (image.double() - truth.double()).square().mean(dim=(1, 2, 3))
    return 10.0 * torch.log10(PEAK**2 / error)


def mean_color(truth: Image) -> Image:
    """Every picture as the one color that is best for the whole set: its mean."""
    return truth.mean(dim=(0, 2, 3), keepdim=True).expand_as(truth)


def best_affine_color(source: Image, truth: Image) -> Image:
    """Recolor the sources by the one affine map of RGB that comes nearest to the truths in the mean square.

    It is fitted on the very pictures that it is judged on, so no affine map can do better on them.
    """
    pixels = _pixels(source)
    inputs = torch.cat([pixels, torch.ones_like(pixels[:, :1])], dim=1)
    matrix = torch.linalg.lstsq(inputs.T @ inputs, inputs.T @ _pixels(truth)).solution
    batch, _, height, width = source.shape
    mapped: Tensor = (inputs @ matrix).reshape(batch, height, width, 3).permute(0, 3, 1, 2)
    return mapped.to(source.dtype).clamp(-1, 1)


def _pixels(images: Image) -> Float[Tensor, "pixels 3"]:
    return images.permute(0, 2, 3, 1).reshape(-1, 3).double()


@dataclass(frozen=True)
class Gain:
    """Mean PSNR of a model in dB beside that of answers that need no model."""

    model: float
    baselines: Mapping[str, float]
    """identity, mean_color and affine_color."""

    @property
    def gain(self) -> float:
        """What the model adds to the best baseline, in dB."""
        return self.model - max(self.baselines.values())


def measure_gain(source: Image, result: Image, truth: Image) -> Gain:
    """Compare results with the known answers, and with identity, mean color and the best affine color map."""
    simple = {
        "identity": source,
        "mean_color": mean_color(truth),
        "affine_color": best_affine_color(source, truth),
    }
    scores = {name: float(psnr(image, truth).mean()) for name, image in simple.items()}
    return Gain(float(psnr(result, truth).mean()), scores)
