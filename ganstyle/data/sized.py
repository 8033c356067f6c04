"""From the bytes of a picture file to its pixels at a wanted size, by the shortest way that keeps them faithful."""

import cv2
import numpy as np

from ganstyle.decode import Reduced, decode, upright
from ganstyle.images import Pixels, resize

DECODER = "simplejpeg, MARGIN 2, area 1"
"""What pixels depend on beside the file and the size; a cache made by another way is not used."""


def sized(content: bytes, name: str, height: int, width: int) -> Pixels:
    """Decode a picture and bring it, upright, to a size: by area when shrinking, bicubic when growing.

    A JPEG of several times the size is decoded at a half, a quarter or an eighth of it.

    Raises:
        ImageError: not a picture, truncated, or too large.
    """
    decoded = decode(content, name, (height, width))
    lies = decoded.orientation >= 5
    return upright(_scaled(decoded, *((width, height) if lies else (height, width))), decoded.orientation)


def _scaled(decoded: Reduced, height: int, width: int) -> Pixels:
    pixels = decoded.pixels
    if pixels.shape[:2] == (height, width):
        return pixels
    if pixels.shape[:2] == (decoded.height, decoded.width):
        return resize(pixels, height, width)
    return _shrunk_exactly(decoded, height, width)


def _shrunk_exactly(decoded: Reduced, height: int, width: int) -> Pixels:
    """Shrink by the true ratio: half of 667 rows are 333.5, not the 334 that were decoded, or all would be shifted."""
    down, across = height / decoded.height, width / decoded.width
    small = cv2.resize(decoded.pixels, None, fx=across, fy=down, interpolation=cv2.INTER_AREA)
    lacking = [(0, max(0, height - small.shape[0])), (0, max(0, width - small.shape[1])), (0, 0)]
    return np.asarray(np.pad(small[:height, :width], lacking, mode="edge"), dtype=np.uint8)
