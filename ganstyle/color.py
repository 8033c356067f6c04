"""The colors of pictures as a cloud of points: its mean and covariance, and the map from one cloud to another."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

FLAT = (2.0 / 255.0) ** 2 / 12.0
"""Variance that rounding to 8 bits alone makes, in the range [-1, 1]; a direction with less has no color to stretch."""

OPPONENT = ((1.0, 1.0, 1.0), (1.0, -1.0, 0.0), (1.0, 1.0, -2.0))
"""Light, red against green, yellow against blue; to be brought to length 1."""
QUIET = (2.0 / 255.0) ** 2
"""Energy that counts as none: that of one step of 8 bits."""

Mean = Float[Tensor, "3"]
Covariance = Float[Tensor, "3 3"]


class ColorMoments(NamedTuple):
    """Mean and covariance of the colors of all pixels, in float64."""

    mean: Mean
    covariance: Covariance


class ColorSums(NamedTuple):
    """What the moments are made of, added up over parts of pictures, in float64."""

    number: int
    total: Mean
    products: Covariance

    @classmethod
    def of(cls, image: Float[Tensor, "3 height width"]) -> "ColorSums":
        """Add up the pixels of one picture, or of a part."""
        pixels = image.flatten(1).double()
        return cls(pixels.shape[1], pixels.sum(1), pixels @ pixels.T)

    def joined(self, other: "ColorSums") -> "ColorSums":
        """Add up both."""
        return ColorSums(self.number + other.number, self.total + other.total, self.products + other.products)

    @property
    def moments(self) -> ColorMoments:
        """Mean and covariance of all that was added up."""
        mean = self.total / self.number
        return ColorMoments(mean, self.products / self.number - torch.outer(mean, mean))


def transport(source: Covariance, target: Covariance) -> Covariance:
    """Return the symmetric T with T source T = target; where the source is flat, T is zero.

    T = S^-1/2 (S^1/2 R S^1/2)^1/2 S^-1/2 for source S and target R: the linear Monge-Kantorovitch solution.
    Source: Pitie & Kokaram 2007.
    """
    values, axes = torch.linalg.eigh(source)
    root = torch.where(values > FLAT, values, 0.0).sqrt()
    inverse = torch.where(root > 0, 1 / root, 0.0)
    half, back = (axes * root) @ axes.T, (axes * inverse) @ axes.T
    matrix: Tensor = back @ _square_root(half @ target @ half) @ back
    return matrix


def _square_root(matrix: Covariance) -> Covariance:
    """Return the symmetric root of a symmetric matrix without negative eigenvalues, up to rounding."""
    values, axes = torch.linalg.eigh(matrix)
    root: Tensor = (axes * values.clamp_min(0).sqrt()) @ axes.T
    return root
