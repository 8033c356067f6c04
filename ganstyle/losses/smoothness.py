"""Losses that prefer smooth images."""

import torch.nn.functional as F

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


@in_full_precision
def fine_color(image: Image) -> Scalar:
    """Mean absolute difference of a pixel's color, its gray taken away, from that of its block of 2 x 2 pixels.

    Zero where colors change from block to block only, whatever the light does: photographs and scans stored as JPEG
    have color at half the resolution (4:2:0), so colored grain at the finest scale betrays a generator. At most 4/3
    for images in [-1, 1]. An odd last row or column is left out.
    """
    even = image[..., : image.shape[-2] // 2 * 2, : image.shape[-1] // 2 * 2]
    color = even - even.mean(dim=1, keepdim=True)
    blocks = F.interpolate(F.avg_pool2d(color, 2), scale_factor=2, mode="nearest")
    return (color - blocks).abs().mean()
