"""Is the photograph still there? Scores of a result beside its source: 1 for the source itself, 0 for nothing of it.

They look at where things are, not at colors: a global change of color, brightness or contrast costs little.
"""

from math import ceil

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganstyle.errors import ShapeError
from ganstyle.types import Image

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in luminance (ITU-R BT.601)."""
SCALES = 3
"""Octaves that edges and bands are compared at."""
NARROW, WIDE = 1.0, 1.6
"""Deviations of two Gaussians in pixels, whose difference comes near a Laplacian at this ratio (Marr & Hildreth)."""
WINDOW, REACH = 1.5, 5
"""Deviation and reach in pixels of the window of structural similarity (Wang et al. 2004)."""
QUIET = 0.003
"""Variance of a band, whose mean variance is 1, below which a window is quiet and can hardly differ."""
FLAT = 1e-6
"""Deviation below which a band is rounding and not detail."""
POINTS = 32
"""Places along each axis between which features are compared: 1024 in all, as many as Kolkin et al. draw."""

Light = Float[Tensor, "_ 1 _ _"]
Kept = Float[Tensor, " batch"]


def edge_correlation(source: Image, result: Image) -> Kept:
    """Correlate how strong the edges are, place by place, and average over three octaves.

    From -1 to 1. Pearson's correlation of the gradient magnitudes of luminance; a picture without any edge has
    nothing in common with one that has some.

    Raises:
        ShapeError: pictures too small for three octaves.
    """
    octaves = zip(_octaves(source), _octaves(result), strict=True)
    return torch.stack([_correlation(_edges(own), _edges(other)) for own, other in octaves]).mean(0)


def dog_ssim(source: Image, result: Image) -> Kept:
    """Compare bands of detail by structural similarity, and average over three octaves.

    From -1 to 1. A band is a difference of two Gaussian blurs of the luminance, brought to variance 1 over the
    picture: level and contrast of the whole picture cost nothing, those of its parts do.

    Raises:
        ShapeError: pictures too small for three octaves.

    Source: Wang et al. 2004, eq. 13, without its term of levels; Marr & Hildreth 1980 (the bands).
    """
    octaves = zip(_octaves(source), _octaves(result), strict=True)
    return torch.stack([_similarity(_band(own), _band(other)) for own, other in octaves]).mean(0)


def self_similarity(
    features: Float[Tensor, "batch channels rows columns"], result: Float[Tensor, "batch channels rows columns"]
) -> Kept:
    """Ask whether places that look alike in the source look alike in the result.

    From 0 to 1. For every place, its cosine distances to all other places are brought to a sum of 1; what the
    distributions of source and result share is averaged over places. Features are compared on a lattice of at most
    32 x 32 places.

    Args:
        features: activations of the source.
        result: activations of the result, by the same layer of the same network.

    Source: Kolkin, Salavon & Shakhnarovich 2019 (STROTSS), eq. 7 and 8, as a share instead of a sum.
    """
    own, other = _relations(features), _relations(result)
    missing = (own.sum(1) - other.sum(1)).abs()
    return (1 - ((own - other).abs().sum(1) + missing) / 2).mean(1)


def _octaves(image: Image) -> list[Light]:
    """Halve the luminance again and again."""
    least = (2 * REACH + 1) * 2 ** (SCALES - 1)
    height, width = image.shape[2:]
    if min(height, width) < least:
        raise ShapeError(
            f"content is compared at {SCALES} octaves, which needs pictures of at least {least} x {least} pixels, but "
            f"got {height} x {width}; judge larger pictures."
        )
    weights = torch.tensor(LUMA, dtype=torch.float64, device=image.device).reshape(1, 3, 1, 1)
    octaves = [(image.double() * weights).sum(1, keepdim=True)]
    while len(octaves) < SCALES:
        octaves.append(F.avg_pool2d(octaves[-1], 2))
    return octaves


def _edges(light: Light) -> Float[Tensor, "batch places"]:
    """Magnitude of central differences at all inner places."""
    down = light[..., 2:, 1:-1] - light[..., :-2, 1:-1]
    right = light[..., 1:-1, 2:] - light[..., 1:-1, :-2]
    return (down.square() + right.square()).sqrt().flatten(1)


def _correlation(own: Float[Tensor, "batch places"], other: Float[Tensor, "batch places"]) -> Kept:
    own, other = (values - values.mean(1, keepdim=True) for values in (own, other))
    squares = own.square().mean(1) * other.square().mean(1)
    found = (own * other).mean(1) / squares.sqrt()
    return torch.where(squares > 0, found, (own == other).all(1).double())


def _band(light: Light) -> Light:
    """Difference of two blurs, at mean 0 and variance 1 over each picture; flat where the picture is."""
    band = _blur(light.float(), NARROW) - _blur(light.float(), WIDE)
    band = band - band.mean((2, 3), keepdim=True)
    deviation = band.square().mean((2, 3), keepdim=True).sqrt()
    return torch.where(deviation > FLAT, band / deviation, 0.0)


def _similarity(own: Light, other: Light) -> Kept:
    """Contrast and structure of two bands in every window, borders mirrored; bands have no level to compare."""
    one, two, both = (_blur(product, WINDOW) for product in (own * own, other * other, own * other))
    return ((2 * both + QUIET) / (one + two + QUIET)).mean((1, 2, 3)).double()


def _blur(planes: Light, deviation: float) -> Light:
    """Blur by a Gaussian of 11 pixels along both axes, borders mirrored."""
    down, right = (_windows(side, deviation).to(planes) for side in planes.shape[2:])
    blurred: Tensor = down @ F.pad(planes, (REACH, REACH, REACH, REACH), mode="reflect") @ right.mT
    return blurred


def _windows(side: int, deviation: float) -> Float[Tensor, "{side} _"]:
    """Weights of each window over a padded axis; a product of matrices takes a tenth of a convolution's time."""
    place = torch.arange(side + 2 * REACH) - torch.arange(REACH, side + REACH)[:, None]
    weights = torch.exp(-0.5 * (place.double() / deviation).square()) * (place.abs() <= REACH)
    shares: Tensor = weights / weights.sum(1, keepdim=True)
    return shares


def _relations(features: Float[Tensor, "batch channels rows columns"]) -> Float[Tensor, "batch places places"]:
    """Cosine distances between all places, those to one place (a column) at a sum of 1, or 0 if all are alike."""
    down, right = (ceil(side / POINTS) for side in features.shape[2:])
    places = F.normalize(features[..., ::down, ::right].flatten(2), dim=1)
    distances = (1 - places.mT @ places).clamp_min(0)
    total = distances.sum(1, keepdim=True)
    return torch.where(total > 1e-4, distances / total.clamp_min(1e-4), 0.0)
