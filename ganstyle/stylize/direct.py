"""An exported model's picture without PyTorch, where nothing but the picture is asked for."""

import cv2
import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from ganstyle.backends.model import Model
from ganstyle.decode import Integers
from ganstyle.stylize.colorspace import ColorSpace
from ganstyle.stylize.controls import Controls


def is_direct(controls: Controls) -> bool:
    """Say whether the controls ask for the network's picture as it is, or for the photograph."""
    return controls.strength in (0, 1) and controls.keep_color == "off" and controls.size == 1


def pixels_directly(model: Model, pixels: Integers, style: int | None, space: ColorSpace | None) -> Integers:
    """Restyle a picture of integers; to the same bits as `paint.pixels_painted` with the same model."""
    seen = pixels if space is None else space.to_srgb(pixels)
    picture = model.restyle(_numbers(seen), style)
    if space is None:
        return _integers(picture, pixels.dtype)
    return _integers(_numbers(space.from_srgb(_integers(picture, space.depth(pixels)))), pixels.dtype)


def _numbers(pixels: Integers) -> Float32[ndarray, "3 height width"]:
    """Turn integers into an image in [-1, 1]."""
    rows = np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)
    rows /= np.float32(np.iinfo(pixels.dtype).max / 2)
    rows -= np.float32(1)
    return rows


def _integers(image: Float32[ndarray, "3 height width"], depth: "np.dtype[np.unsignedinteger]") -> Integers:
    """Turn an image in [-1, 1] into integers, channels last; values outside are clipped."""
    top = np.iinfo(depth).max
    scaled = image + np.float32(1)
    scaled *= np.float32(top / 2)
    np.rint(np.clip(scaled, 0, top, out=scaled), out=scaled)
    return np.asarray(cv2.merge(list(scaled.astype(depth))))
