"""Losses that prefer smooth images."""

import torch
import torch.nn.functional as F

from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Image, Scalar

BLOCKS = (2, 4)
"""Sides of the blocks, in pixels, within which colors should be one."""


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
    """Mean absolute difference of a pixel's color, its gray taken away, from that of its 2 x 2 and 4 x 4 block.

    Zero where colors change from block to block only, whatever the light does: photographs and scans stored as JPEG
    have color at half the resolution (4:2:0), and little of it at the next scale, so colored grain betrays a generator.
    The mean of the two sizes; at most 4/3 for images in [-1, 1]. What is left over at the right and below counts only
    where it fills a block. Needs 4 x 4 pixels.
    """
    color = image - image.mean(dim=1, keepdim=True)
    return torch.stack([_within_blocks(color, side) for side in BLOCKS]).mean()


def _within_blocks(color: Image, side: int) -> Scalar:
    whole = color[..., : color.shape[-2] // side * side, : color.shape[-1] // side * side]
    blocks = F.interpolate(F.avg_pool2d(whole, side), scale_factor=side, mode="nearest")
    return (whole - blocks).abs().mean()
