"""Losses that compare two images pixel by pixel."""

from jaxtyping import Float
from torch import Tensor

from ganstyle.errors import ShapeError
from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Scalar


@in_full_precision
def l1(
    image: Float[Tensor, "batch channels height width"], target: Float[Tensor, "batch channels height width"]
) -> Scalar:
    """Mean absolute difference; at most 2 for images in [-1, 1].

    Methods use it three times: `l1` compares a result with the known answer (Isola et al. 2017, eq. 3), `cycle` an
    image with itself there and back (Zhu et al. 2017, eq. 2), `identity` a target with itself translated (section 5.2).

    Raises ShapeError for two shapes, which would be broadcast.
    """
    if image.shape != target.shape:
        raise ShapeError(f"L1 compares images of one shape, but got {tuple(image.shape)} and {tuple(target.shape)}.")
    return (image - target).abs().mean()
