"""An algorithmic painter: what a picture looks like when a brush lays one stroke in every cell of a lattice.

Every stroke follows from the picture around it (its color, and the direction in which that color changes least), so
that a generator can learn to lay it. Plain doubles and exact operations only, see `canvas`.
"""

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from ganstyle.data.canvas import quantize

CELL = 4
"""Pixels from one stroke to the next; two stride-2 convolutions see where in a cell a pixel lies."""
HALF_LENGTH, HALF_WIDTH = 6.0, 2.0
REACH = 2
"""How many cells away a stroke may begin and still cover a pixel."""
BANDS = 5.0
"""How often the paint thickens from black to white."""
HABIT = (0.000014, -0.000048)
"""Where nothing guides the brush it rises to the right: cosine and sine of the doubled angle, times a squared slope."""
STEADINESS = 4
"""How often the directions are smoothed."""
RELIEF = 0.12
"""How much lighter the lit edge of a stroke is."""

Plane = Float[ndarray, "height width ..."]
Lattice = Float[ndarray, "rows columns ..."]

PAINTS = np.array(
    [  # what the eye sees, and the paint that this painter takes for it
        [(0.28, 0.52, 0.84), (0.13, 0.28, 0.66)],  # deep sky: ultramarine
        [(0.52, 0.68, 0.86), (0.22, 0.52, 0.80)],  # sky: cobalt
        [(0.78, 0.87, 0.93), (0.56, 0.80, 0.82)],  # pale sky: turquoise
        [(0.97, 0.97, 0.97), (0.99, 0.96, 0.82)],  # white: cream
        [(1.00, 0.95, 0.72), (0.99, 0.86, 0.25)],  # sun: chrome yellow
        [(0.97, 0.72, 0.52), (0.98, 0.62, 0.18)],  # evening glow: orange
        [(0.50, 0.58, 0.70), (0.45, 0.36, 0.66)],  # mountains: violet
        [(0.47, 0.63, 0.32), (0.90, 0.72, 0.20)],  # meadow: wheat
        [(0.64, 0.74, 0.50), (0.70, 0.78, 0.34)],  # far meadow: spring green
        [(0.30, 0.46, 0.22), (0.62, 0.44, 0.10)],  # shaded meadow: ochre
        [(0.14, 0.35, 0.17), (0.02, 0.30, 0.27)],  # leaves: viridian
        [(0.36, 0.24, 0.15), (0.28, 0.08, 0.26)],  # bark: plum
        [(0.76, 0.30, 0.20), (0.93, 0.34, 0.13)],  # roofs: vermilion
        [(0.88, 0.80, 0.65), (0.93, 0.75, 0.62)],  # sand: rose
    ]
)


def paint(picture: UInt8[ndarray, "size size 3"]) -> UInt8[ndarray, "size size 3"]:
    """Repaint a square picture, whose side is a multiple of `CELL`, with visible strokes in another palette."""
    seen = _blur(picture / 255.0)
    cosine, sine = _grain(_blur(seen).mean(axis=-1))
    anchors = slice(CELL // 2, None, CELL)
    return quantize(_lay(mix(seen[anchors, anchors]), cosine[anchors, anchors], sine[anchors, anchors]))


def mix(seen: Float[ndarray, "*place 3"]) -> Float[ndarray, "*place 3"]:
    """Take for every color the paints of the colors nearest to it: a palette that no affine map can follow."""
    weights = [_nearness(seen - color) for color in PAINTS[:, 0]]
    mixed = np.zeros_like(seen)
    for weight, paint in zip(weights, PAINTS[:, 1], strict=True):
        mixed += weight[..., None] * paint
    return np.asarray(mixed / np.sum(weights, axis=0)[..., None])


def _nearness(difference: Float[ndarray, "*place 3"]) -> Float[ndarray, "*place"]:
    """Weigh a paint by the inverse fourth power of its distance, bounded near zero."""
    square = (difference * difference).sum(axis=-1) + 0.004
    return np.asarray(1.0 / (square * square))


def _grain(light: Plane) -> tuple[ndarray, ndarray]:
    """Return cosine and sine of the direction along which the light changes least; `HABIT` where it hardly changes.

    Source: the structure tensor (Foerstner & Guelch 1987), in terms of the doubled angle.
    """
    down, right = _slope(light, 0), _slope(light, 1)
    along, across = down * down - right * right, -2.0 * right * down
    for _ in range(STEADINESS):
        along, across = _blur(along), _blur(across)
    along, across = along + HABIT[0], across + HABIT[1]
    size = np.sqrt(along * along + across * across) + 1e-9
    cosine = np.sqrt(np.clip(0.5 + 0.5 * along / size, 0.0, 1.0))
    sine = np.sqrt(np.clip(0.5 - 0.5 * along / size, 0.0, 1.0))
    return cosine, np.where(across < 0.0, -sine, sine)


def _lay(colors: Lattice, cosine: Lattice, sine: Lattice) -> ndarray:
    """Lay one stroke in every cell; where strokes overlap, the one with more body comes out on top."""
    body = _body(colors)
    share_of_ground = 0.01
    total, weight = share_of_ground * _spread(colors, 0, 0), np.full(1, share_of_ground)
    steps = range(-REACH, REACH + 1)
    for down, right in ((down, right) for down in steps for right in steps):
        across, cover = _stroke(_spread(cosine, down, right), _spread(sine, down, right), down, right)
        thickness = _spread(body, down, right)
        share = cover * (0.2 + thickness) * (0.2 + thickness) * (0.2 + thickness)
        lit = _spread(colors, down, right) * (0.89 + 0.22 * thickness)[..., None] + across[..., None]
        total, weight = total + share[..., None] * lit, weight + share
    return np.asarray(total / weight[..., None])


def _stroke(cosine: ndarray, sine: ndarray, down: int, right: int) -> tuple[ndarray, ndarray]:
    """Return the relief and the coverage that strokes some cells away give to every pixel, lit from above left."""
    size = len(cosine)
    place = np.arange(size) % CELL - CELL // 2
    x, y = (place - right * CELL)[None, :], (place - down * CELL)[:, None]
    along, across = (x * cosine + y * sine) / HALF_LENGTH, (y * cosine - x * sine) / HALF_WIDTH
    cover = np.clip(1.5 - 1.5 * (along * along * along * along + across * across), 0.0, 1.0)
    return RELIEF * across * (sine - cosine), cover


def _body(colors: Lattice) -> Lattice:
    """Return how thick the paint lies, from 0 to 1: it rises and falls with the tone, so that shades come in bands."""
    wave = colors.mean(axis=-1) * BANDS
    return np.asarray(np.abs(2.0 * (wave - np.floor(wave)) - 1.0))


def _spread(lattice: Lattice, down: int, right: int) -> ndarray:
    """Give every pixel the value of the cell that lies some cells away from its own."""
    place = np.arange(len(lattice) * CELL) // CELL
    last = len(lattice) - 1
    return np.asarray(lattice[np.clip(place + down, 0, last)][:, np.clip(place + right, 0, last)])


def _blur(plane: Plane) -> Plane:
    """Smooth with the binomial kernel 1 2 1 along both axes, the edge repeated."""
    for axis in (0, 1):
        plane = 0.25 * _moved(plane, -1, axis) + 0.5 * plane + 0.25 * _moved(plane, 1, axis)
    return plane


def _slope(plane: Plane, axis: int) -> Plane:
    """Return central differences along an axis."""
    return np.asarray(0.5 * (_moved(plane, 1, axis) - _moved(plane, -1, axis)))


def _moved(plane: Plane, by: int, axis: int) -> Plane:
    """Look some pixels further along an axis, the edge repeated."""
    place = np.arange(plane.shape[axis])
    return np.asarray(plane.take(np.clip(place + by, 0, len(place) - 1), axis=axis))
