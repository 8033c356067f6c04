"""Where a picture is restyled: a grey picture, white inside."""

from typing import Any

import cv2
import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.typing import NDArray
from PIL import Image as Pillow
from torch import Tensor

from ganstyle.errors import ShapeError

Mask = Float[ndarray, "height width"]
"""From 0 (the photograph stays) to 1 (restyled)."""


def mask_of(given: "Pillow.Image | NDArray[Any] | Tensor", height: int, width: int) -> Mask:
    """Understand a mask: a Pillow picture, integers up to their largest, or numbers (and truths) up to 1.

    Raises ShapeError for one that is not of the photograph's size, or not of one channel.
    """
    values = np.asarray(given.convert("L") if isinstance(given, Pillow.Image) else given)
    if values.shape != (height, width):
        shape = " x ".join(map(str, values.shape))
        raise ShapeError(f"the mask is {shape}, but the photograph is {height} x {width}; give a mask of that size.")
    top = np.iinfo(values.dtype).max if np.issubdtype(values.dtype, np.integer) else 1
    return np.clip(values.astype(np.float32) / top, 0, 1)


def feathered(mask: Mask, feather: float) -> Mask:
    """Let a mask rise from nothing at its edge to full over so many pixels inwards; outside it stays nothing."""
    if feather == 0:
        return mask
    inside = (mask > 0).astype(np.uint8)
    distance = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    rise = np.clip(distance / feather, 0, 1)
    return np.asarray(mask * rise * rise * (3 - 2 * rise), dtype=np.float32)
