"""Where a picture is restyled: a grey picture, white inside."""

from typing import Any

import cv2
import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.typing import NDArray
from PIL import Image as Pillow
from torch import Tensor

from ganstyle.decode import DEEP_GRAY, Integers, from_pillow
from ganstyle.errors import ImageError, ShapeError

Mask = Float[ndarray, "height width"]
"""From 0 (the photograph stays) to 1 (restyled)."""


def mask_of(given: "Pillow.Image | NDArray[Any] | Tensor", height: int, width: int) -> Mask:
    """Understand a mask: a Pillow picture, bytes or uint16 up to their largest, or numbers (and truths) up to 1.

    Raises ShapeError for one that is not of the photograph's size, or not of one channel, ImageError for integers of
    another kind, whose largest nobody means, and for numbers that are not from 0 to 1.
    """
    values = _brightness(given) if isinstance(given, Pillow.Image) else np.asarray(given)
    if values.shape != (height, width):
        shape = " x ".join(map(str, values.shape))
        raise ShapeError(f"the mask is {shape}, but the photograph is {height} x {width}; give a mask of that size.")
    top = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}.get(values.dtype, 1)
    if top == 1 and not (values.dtype.kind in "bf" and ((values >= 0) & (values <= 1)).all()):
        raise ImageError(f"the mask is of {values.dtype}; give truths, numbers from 0 to 1, uint8 or uint16.")
    return values.astype(np.float32) / top


def brightness(pixels: Integers, alpha: NDArray[Any] | None) -> Mask:
    """How bright colors are, as far as they are opaque, from 0 to 1."""
    light = pixels.mean(axis=2) / np.iinfo(pixels.dtype).max
    return np.asarray(light if alpha is None else light * (alpha / np.iinfo(alpha.dtype).max))


def _brightness(picture: Pillow.Image) -> NDArray[Any]:
    """How bright a Pillow picture is; gray that is deeper than bytes is left as it is."""
    if picture.mode == "I":
        return from_pillow(picture)[..., 0]
    if picture.mode in DEEP_GRAY:
        return np.asarray(picture, np.float32 if picture.mode == "F" else np.uint16)
    layers = np.asarray(picture.convert("RGBA"))
    return brightness(layers[..., :3], layers[..., 3])


def feathered(mask: Mask, feather: float) -> Mask:
    """Let a mask rise from nothing at its edge to full over so many pixels inwards; outside it stays nothing."""
    if feather == 0:
        return mask
    inside = (mask > 0).astype(np.uint8)
    distance = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    rise = np.clip(distance / feather, 0, 1)
    return np.asarray(mask * rise * rise * (3 - 2 * rise), dtype=np.float32)
