"""Comparing two images by the patches they are made of, wherever those stand."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganstyle.draws import generator_of
from ganstyle.errors import ShapeError
from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Image, Scalar, Seeds


@in_full_precision
def patch_sliced_wasserstein(
    image: Image, target: Image, seeds: Seeds, *, side: int = 5, directions: int = 32, scales: int = 3
) -> Scalar:
    """Sliced Wasserstein-1 distance between the patches of two images, averaged over scales.

    All `side` x `side` patches are projected on random directions of unit length; along each direction the sorted
    projections are compared. Every scale halves the image before. Zero if one image's patches are the other's in
    another order. The directions of an image are drawn from its seed.

    Source: Rabin et al. 2012 (the distance); Elnekave & Weiss 2022, section 3 (of patches, at several scales).
    Raises ShapeError for images that are smaller than a patch at the last scale.
    """
    _require_patches(image, side, scales)
    distances = []
    for scale in range(scales):
        axes = _directions(seeds.tolist(), scale, directions, (3, side, side)).to(image)
        distances.append((_sorted_projections(image, axes) - _sorted_projections(target, axes)).abs().mean())
        image, target = (F.avg_pool2d(whole, 2) if scale + 1 < scales else whole for whole in (image, target))
    return torch.stack(distances).mean()


def _sorted_projections(images: Image, axes: Tensor) -> Float[Tensor, "batch directions patches"]:
    """Project every patch of every image on that image's own directions, in ascending order."""
    batch = len(images)
    projections = F.conv2d(images.flatten(0, 1)[None], axes.flatten(0, 1), groups=batch)
    return projections.reshape(batch, axes.shape[1], -1).sort(-1).values


def _directions(seeds: Sequence[int], scale: int, count: int, shape: tuple[int, int, int]) -> Tensor:
    """Draw batch x count filters of unit length."""
    draws = [torch.randn(count, *shape, generator=generator_of("patches", seed, scale)) for seed in seeds]
    axes = torch.stack(draws)
    return axes / axes.square().sum((2, 3, 4), keepdim=True).sqrt()


def _require_patches(image: Tensor, side: int, scales: int) -> None:
    least = side * 2 ** (scales - 1)
    height, width = image.shape[2:]
    if min(height, width) < least:
        raise ShapeError(
            f"patches of {side} x {side} pixels at {scales} scales need images of at least {least} x {least} pixels, "
            f"but got {height} x {width}; use larger crops."
        )
