"""From the bytes of a picture file to its pixels at a wanted size, by the shortest way that keeps them faithful."""

import cv2
import numpy as np
import torch
from torch.nn.functional import interpolate

from ganstyle.decode import Reduced, decode, upright
from ganstyle.images import Pixels, resize

DECODER = "simplejpeg, MARGIN 1.6, linear 1.4, bicubic"
"""What pixels depend on beside the file and the size; a cache made by another way is not used."""
LINEAR = 1.4
"""A picture that shrinks by no more is sampled between its pixels: area would take four times as long."""


def sized(content: bytes, name: str, height: int, width: int) -> Pixels:
    """Decode a picture and bring it, upright, to a size: as by area when shrinking, bicubic when growing.

    A JPEG of several times the size is decoded at a half, a quarter or an eighth of it. Photographs that shrink are at
    least 34 dB from the whole picture shrunk by area (tests/data/test_sized.py).

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
        return _resized(pixels, height, width)
    return _shrunk_exactly(decoded, height, width)


def _resized(pixels: Pixels, height: int, width: int) -> Pixels:
    """Bring a whole picture to a size by the fastest way that is near enough to area."""
    rows, columns = pixels.shape[:2]
    shrinks = min(rows / height, columns / width)
    if shrinks <= 1.0 or (_whole_times(rows, height) and _whole_times(columns, width)):
        return resize(pixels, height, width)
    if shrinks <= LINEAR:
        return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    return _bicubic(pixels, height, width)


def _whole_times(rows: int, height: int) -> bool:
    """Say whether a side is a multiple of another, but for a row; smooth kernels and area differ most there."""
    return min(rows % height, -rows % height) <= 1


def _bicubic(pixels: Pixels, height: int, width: int) -> Pixels:
    """Shrink by a bicubic kernel as wide as the shrinking asks, as Pillow does, with what vectors the processor has."""
    batch = torch.from_numpy(pixels)[None].permute(0, 3, 1, 2)  # in this order PyTorch sees that channels come last
    small = interpolate(batch, (height, width), mode="bicubic", antialias=True)
    return np.ascontiguousarray(small.permute(0, 2, 3, 1)[0].numpy())


def _shrunk_exactly(decoded: Reduced, height: int, width: int) -> Pixels:
    """Shrink by the true ratio: half of 667 rows are 333.5, not the 334 that were decoded, or all would be shifted."""
    down, across = height / decoded.height, width / decoded.width
    small = cv2.resize(decoded.pixels, None, fx=across, fy=down, interpolation=cv2.INTER_AREA)
    lacking = [(0, max(0, height - small.shape[0])), (0, max(0, width - small.shape[1])), (0, 0)]
    return np.asarray(np.pad(small[:height, :width], lacking, mode="edge"), dtype=np.uint8)
