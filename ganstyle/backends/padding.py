"""How a picture is brought to sides that a network takes, and back."""

import numpy as np
from jaxtyping import Float32, Int
from numpy import ndarray

LEAST_SIDE = 32
"""Pixels; a smaller picture is grown by reflection first, for the padding inside the networks."""
Array = Float32[ndarray, "channels _ _"]


def grown_sides(rows: int, columns: int, multiple: int) -> tuple[int, int]:
    """The sides that a picture is grown to: multiples of the network's number, or of more for a tiny picture."""
    if min(rows, columns) < LEAST_SIDE:
        multiple *= -(-LEAST_SIDE // multiple)
    return -(-rows // multiple) * multiple, -(-columns // multiple) * multiple


def mirrored(first: int, last: int, side: int) -> Int[ndarray, " places"]:
    """Say which pixels stand at the places from `first` to `last` beside a picture that goes on by reflection."""
    period = max(1, 2 * side - 2)
    place = np.arange(first, last) % period
    return np.minimum(place, period - place)


def grown(image: Array, multiple: int) -> Array:
    """Let an image go on to the right and below, by reflection, up to sides that a network takes."""
    _, height, width = image.shape
    rows, columns = grown_sides(height, width, multiple)
    if rows > height:
        image = image[:, mirrored(0, rows, height)]
    return image[..., mirrored(0, columns, width)] if columns > width else image
