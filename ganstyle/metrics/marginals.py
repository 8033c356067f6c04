"""Wasserstein distances along fixed axes, from each picture's own distribution functions.

Along one axis the Wasserstein-1 distance of two sets is the area between their distribution functions, and that of a
set is the mean of its pictures'. So a picture's descriptor is its distribution function at fixed thresholds, and a
distance between sets needs no sorting.
"""

from itertools import product
from math import asinh, sqrt

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganstyle.draws import generator_of
from ganstyle.errors import ShapeError
from ganstyle.types import Image

BINS = 64
"""Thresholds along an axis."""
SIDE, STRIDE, DIRECTIONS, OCTAVES = 5, 2, 32, 4
"""Of patches: pixels along a side, pixels from one to the next, axes per octave, times that a picture is halved."""
FINE, FAR = 0.03, 6.0
"""Patches: thresholds are evenly spaced up to about FINE around 0, then by even ratios up to FAR."""

Descriptors = Float[Tensor, "_ _"]
Values = Float[Tensor, "batch axes places"]


def color_axes() -> Float[Tensor, "13 3"]:
    """Thirteen axes of color space: to the faces, edges and corners of the RGB cube, without their opposites."""
    signs = torch.tensor(list(product((1.0, 0.0, -1.0), repeat=3))[:13])
    return F.normalize(signs, dim=1)


def color_functions(images: Image) -> Descriptors:
    """Describe each picture by the distribution of its colors along thirteen axes."""
    values = torch.einsum("ac,bcp->bap", color_axes().to(images), images.flatten(2))
    return _functions(values / sqrt(3))


def color_distance(results: Descriptors, references: Descriptors) -> float:
    """Wasserstein-1 distance of all colors of both sets, averaged over axes, in units of the range [-1, 1]."""
    return float((results.mean(0) - references.mean(0)).abs().mean()) * 2 * sqrt(3)


def patch_functions(images: Image, seed: int) -> Descriptors:
    """Describe each picture by the distributions of its patches along random axes, at four octaves.

    Every channel of a patch has its mean taken away, so that a flat color, whichever it is, is no patch's business.

    Raises:
        ShapeError: pictures that are smaller than a patch at the last octave.
    """
    _require_patches(images)
    found = []
    for octave in range(OCTAVES):
        image = F.avg_pool2d(images, 2**octave)
        values = F.conv2d(image, _filters(octave, seed).to(images), stride=STRIDE).flatten(2)
        found.append(_functions((values / FINE).asinh() / asinh(FAR / FINE)))
    return torch.cat(found, 1)


def patch_distance(results: Descriptors, references: Descriptors) -> float:
    """Sliced Wasserstein-1 distance of all patches of both sets, averaged over axes and octaves.

    In units of the range [-1, 1]; a patch is projected on axes of length 1.

    Source: Rabin et al. 2012 (the distance); Elnekave & Weiss 2022, section 3 (of patches, at several octaves).
    """
    gaps = (results.mean(0) - references.mean(0)).abs().reshape(-1, BINS)
    return float((gaps * _patch_widths()).sum(1).mean())


def _functions(values: Values) -> Descriptors:
    """Share of each picture's values at or below each of 64 thresholds that divide [-1, 1] evenly."""
    batch, axes, places = values.shape
    cells = ((values + 1) * (BINS / 2)).long().clamp(0, BINS - 1)
    starts = torch.arange(batch * axes, device=values.device).reshape(batch, axes, 1) * BINS
    counts = torch.bincount((cells + starts).flatten(), minlength=batch * axes * BINS)
    return (counts.reshape(batch, axes, BINS).cumsum(2).double() / places).flatten(1)


def _patch_widths() -> Float[Tensor, " bins"]:
    """How far each threshold lies from the one before, in the units of patches."""
    edges = (torch.linspace(-1, 1, BINS + 1, dtype=torch.float64) * asinh(FAR / FINE)).sinh() * FINE
    return edges.diff()


def _filters(octave: int, seed: int) -> Float[Tensor, "directions 3 side side"]:
    """Draw axes of length 1 for patches whose channels have mean 0."""
    axes = torch.randn(DIRECTIONS, 3, SIDE, SIDE, generator=generator_of("patches", seed, octave))
    axes = axes - axes.mean((2, 3), keepdim=True)
    return F.normalize(axes.flatten(1), dim=1).reshape(axes.shape)


def _require_patches(images: Tensor) -> None:
    least = SIDE * 2 ** (OCTAVES - 1)
    if min(images.shape[2:]) < least:
        raise ShapeError(
            f"patches are compared at {OCTAVES} octaves, which needs pictures of at least {least} x {least} pixels, "
            f"but got {images.shape[2]} x {images.shape[3]}; judge larger pictures."
        )
