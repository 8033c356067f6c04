"""Losses that prefer smooth images."""

from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Image, Scalar


@in_full_precision
def total_variation(image: Image) -> Scalar:
    """Mean absolute difference between neighbouring pixels.

    Zero for a constant image; at most 4 for images in [-1, 1] (2 along each axis). Needs two rows and two columns.
    A mean, not a sum, so that a weight tuned at 256 px still holds at 512 px.

    Source: Rudin, Osher & Fatemi 1992, in its anisotropic form.
    """
    down = (image[..., 1:, :] - image[..., :-1, :]).abs().mean()
    right = (image[..., :, 1:] - image[..., :, :-1]).abs().mean()
    return down + right
