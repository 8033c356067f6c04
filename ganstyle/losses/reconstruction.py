"""Losses that compare two images pixel by pixel."""

from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Image, Scalar


@in_full_precision
def l1(image: Image, target: Image) -> Scalar:
    """Mean absolute difference; at most 2 for images in [-1, 1].

    Methods use it three times: `l1` compares a result with the known answer (Isola et al. 2017, eq. 3), `cycle` an
    image with itself there and back (Zhu et al. 2017, eq. 2), `identity` a target with itself translated (section 5.2).
    """
    return (image - target).abs().mean()
