"""Recoloring without any learning: what a style transfer has to beat."""

from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor

from ganstyle.color import ColorMoments, ColorSums, transport
from ganstyle.draws import generator_of
from ganstyle.types import Image

Collection = Float[Tensor, "references 3 rows columns"]
"""Images in another number and size than the photographs."""


def color_moments(images: Image) -> ColorMoments:
    """Pool the pixels of all pictures, one picture at a time."""
    return reduce(ColorSums.joined, map(ColorSums.of, images)).moments


def mkl(source: Image, references: Collection, strength: float = 1.0) -> Image:
    """Recolor every photograph by the linear map of least displacement that gives it the collection's color moments.

    The map takes a photograph's mean and covariance to those of all reference pixels pooled. A direction in which the
    photograph has no color (the chroma of a gray picture) stays flat. Values outside [-1, 1] are clipped.

    Args:
        source: photographs, each recolored on its own.
        references: pictures of the collection, of any size.
        strength: 0 leaves the photograph, 1 recolors it fully, between them colors are blended linearly.

    Source: Pitie & Kokaram 2007, the linear Monge-Kantorovitch solution.
    """
    target = color_moments(references)
    return torch.stack([_recolored(image, target, strength) for image in source]).clamp(-1, 1)


def _recolored(
    image: Float[Tensor, "3 height width"], target: ColorMoments, strength: float
) -> Float[Tensor, "3 height width"]:
    own = color_moments(image[None])
    matrix = torch.lerp(torch.eye(3, dtype=torch.float64), transport(own.covariance, target.covariance), strength)
    moved = torch.lerp(own.mean, target.mean, strength)
    pixels = matrix @ (image.flatten(1).double() - own.mean[:, None]) + moved[:, None]
    return pixels.reshape(image.shape).to(image.dtype)


def baseline_rows(sources: Image, crops: Collection, seed: int) -> dict[str, Image]:
    """Make the rows that stand beside every method.

    Args:
        sources: photographs.
        crops: windows of the collection, as large as the photographs.
        seed: of the windows that are copied.

    Returns:
        identity (the photographs), mkl (recolored fully), style-copy (a window drawn for each photograph, with
        replacement) and half-blend (photograph and mkl mixed in equal parts).
    """
    recolored = mkl(sources, crops)
    drawn = torch.randint(len(crops), (len(sources),), generator=generator_of("style-copy", seed))
    return {
        "identity": sources,
        "mkl": recolored,
        "style-copy": crops[drawn],
        "half-blend": (sources + recolored) / 2,
    }
