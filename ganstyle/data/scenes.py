"""Little landscapes: sky, sun, clouds, hills, water, houses, trees and flowers, drawn from a seed."""

from random import Random
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from ganstyle.data.canvas import Canvas, Color, noise, ridge, smooth


class Mood(NamedTuple):
    """The light of an hour."""

    zenith: Color
    horizon: Color
    sun: Color
    cloud: Color


MOODS = (
    Mood((0.26, 0.52, 0.86), (0.72, 0.87, 0.96), (1.00, 0.97, 0.78), (0.97, 0.98, 1.00)),  # noon
    Mood((0.42, 0.66, 0.88), (0.95, 0.90, 0.80), (1.00, 0.93, 0.66), (0.99, 0.96, 0.92)),  # morning
    Mood((0.30, 0.36, 0.66), (0.97, 0.68, 0.48), (1.00, 0.80, 0.45), (0.96, 0.76, 0.70)),  # evening
    Mood((0.50, 0.60, 0.70), (0.82, 0.86, 0.88), (0.98, 0.96, 0.90), (0.90, 0.92, 0.94)),  # haze
)
MOUNTAINS: tuple[Color, ...] = ((0.50, 0.58, 0.72), (0.56, 0.60, 0.66), (0.42, 0.52, 0.64))
MEADOWS: tuple[Color, ...] = ((0.45, 0.64, 0.30), (0.36, 0.58, 0.28), (0.58, 0.68, 0.34), (0.50, 0.60, 0.26))
LEAVES: tuple[Color, ...] = ((0.13, 0.35, 0.16), (0.20, 0.42, 0.17), (0.10, 0.29, 0.20))
WALLS: tuple[Color, ...] = ((0.95, 0.92, 0.85), (0.90, 0.82, 0.68), (0.86, 0.87, 0.88))
ROOFS: tuple[Color, ...] = ((0.76, 0.28, 0.18), (0.64, 0.24, 0.20), (0.82, 0.42, 0.22))
FLOWERS: tuple[Color, ...] = ((0.90, 0.22, 0.24), (0.98, 0.86, 0.30), (0.94, 0.94, 0.96), (0.70, 0.40, 0.80))
BARK: Color = (0.36, 0.24, 0.15)
PATH: Color = (0.87, 0.79, 0.62)


def scene(seed: int, size: int) -> UInt8[ndarray, "size size 3"]:
    """Draw landscape number `seed`: RGB bytes, the same on every machine."""
    rng = Random(seed)
    mood = rng.choice(MOODS)
    canvas = Canvas(size, mood.horizon)
    horizon = rng.uniform(0.42, 0.60)
    _sky(canvas, mood, horizon, rng)
    _mountains(canvas, mood, horizon, rng)
    shore = _hills(canvas, horizon, rng)
    if rng.random() < 0.45:
        _lake(canvas, mood, shore, rng)
    _foreground(canvas, rng)
    return canvas.bytes()


def _sky(canvas: Canvas, mood: Mood, horizon: float, rng: Random) -> None:
    """Shade the sky from horizon to zenith, with a sun in its glow and a few clouds."""
    canvas.glaze(smooth(np.clip(1.0 - canvas.y / horizon, 0.0, 1.0)), mood.zenith)
    x, y, radius = rng.uniform(0.12, 0.88), rng.uniform(0.10, horizon - 0.12), rng.uniform(0.05, 0.085)
    right, below = (canvas.x - x) / radius, (canvas.y - y) / radius
    canvas.glaze(0.75 / (1.0 + 0.12 * (right * right + below * below)), mood.sun)
    canvas.fill(canvas.ellipse(x, y, radius, radius), mood.sun)
    for _ in range(rng.randrange(4)):
        _cloud(canvas, mood.cloud, rng.uniform(0.0, 1.0), rng.uniform(0.06, horizon - 0.15), rng)


def _cloud(canvas: Canvas, color: Color, x: float, y: float, rng: Random) -> None:
    """Heap a few flat puffs, lit from above."""
    for _ in range(5):
        across = rng.uniform(0.06, 0.13)
        puff = canvas.ellipse(x + rng.uniform(-0.12, 0.12), y + rng.uniform(-0.02, 0.02), across, across * 0.42)
        canvas.fill(puff, color, 0.85 - 2.5 * np.clip(canvas.y - y, 0.0, 0.2))


def _mountains(canvas: Canvas, mood: Mood, horizon: float, rng: Random) -> None:
    """Set one or two far ranges against the sky, paler the farther."""
    for distance in range(rng.randrange(1, 3), 0, -1):
        top = horizon - 0.05 * distance - 0.16 * ridge(canvas.size, rng.randrange(3, 6), rng)
        color = _mix(rng.choice(MOUNTAINS), mood.horizon, 0.22 * distance)
        canvas.fill(top[None, :] - canvas.y, color)


def _hills(canvas: Canvas, horizon: float, rng: Random) -> float:
    """Roll three green hills towards the eye, with trees and houses on them; return where the nearest begins."""
    base = horizon
    for depth in range(3):
        top = base - 0.10 * ridge(canvas.size, rng.randrange(2, 5), rng)
        color = _mix(rng.choice(MEADOWS), (0.62, 0.74, 0.72), 0.40 - 0.2 * depth)
        canvas.fill(top[None, :] - canvas.y, color)
        _furrows(canvas, top, rng)
        _settle(canvas, top, 0.05 + 0.035 * depth, rng)
        base += rng.uniform(0.10, 0.16)
    return base - 0.08


def _furrows(canvas: Canvas, top: np.ndarray, rng: Random) -> None:
    """Let light fall in waves over a hill, along its slope."""
    depth = canvas.y - top[None, :]
    period = rng.uniform(0.06, 0.11)
    wave = depth / period - np.floor(depth / period)
    light = smooth(1.0 - np.abs(2.0 * wave - 1.0)) * np.clip(depth * canvas.size, 0.0, 1.0)
    canvas.glaze(0.30 * light, rng.choice(((0.80, 0.80, 0.42), (0.30, 0.46, 0.22))))


def _settle(canvas: Canvas, top: np.ndarray, tall: float, rng: Random) -> None:
    """Stand trees and, now and then, a house on a hill's edge."""
    things = [_tree] * rng.randrange(1, 4) + [_house] * (rng.random() < 0.6)
    for thing in things:
        x = rng.uniform(0.05, 0.95)
        ground = float(top[int(x * canvas.size)]) + 0.02
        thing(canvas, x, ground, tall * rng.uniform(0.9, 1.5), rng)


def _tree(canvas: Canvas, x: float, ground: float, tall: float, rng: Random) -> None:
    """Plant a cypress, or a round tree with a lit and a dark side."""
    leaf = rng.choice(LEAVES)
    if rng.random() < 0.4:
        canvas.fill(canvas.ellipse(x, ground - tall, tall * 0.30, tall * 1.2), leaf)
        canvas.fill(canvas.ellipse(x - tall * 0.1, ground - tall * 0.9, tall * 0.1, tall), _mix(leaf, FLOWERS[1], 0.2))
        return
    canvas.fill(canvas.box(x - tall * 0.09, ground - tall * 0.7, x + tall * 0.09, ground), BARK)
    canvas.fill(canvas.ellipse(x, ground - tall, tall * 0.62, tall * 0.58), leaf)
    canvas.fill(
        canvas.ellipse(x - tall * 0.18, ground - tall * 1.18, tall * 0.36, tall * 0.30), _mix(leaf, FLOWERS[1], 0.3)
    )


def _house(canvas: Canvas, x: float, ground: float, tall: float, rng: Random) -> None:
    """Build a house with a roof, a door and a window."""
    half = tall * rng.uniform(0.7, 1.0)
    canvas.fill(canvas.box(x - half, ground - tall, x + half, ground), rng.choice(WALLS))
    canvas.fill(canvas.gable(x, ground - tall * 1.8, ground - tall * 0.9, half * 1.25), rng.choice(ROOFS))
    canvas.fill(canvas.box(x - half * 0.6, ground - tall * 0.5, x - half * 0.2, ground), BARK)
    canvas.fill(
        canvas.box(x + half * 0.2, ground - tall * 0.7, x + half * 0.6, ground - tall * 0.35), (0.30, 0.42, 0.60)
    )


def _lake(canvas: Canvas, mood: Mood, shore: float, rng: Random) -> None:
    """Lay a lake that mirrors the sky, with ripples."""
    bottom = min(0.97, shore + rng.uniform(0.12, 0.20))
    water = canvas.ellipse(rng.uniform(0.2, 0.8), (shore + bottom) / 2, rng.uniform(0.4, 0.7), (bottom - shore) / 2)
    canvas.fill(water, _mix(mood.zenith, (0.20, 0.40, 0.50), 0.3))
    ripples = noise(canvas.size, 4, 26, rng)
    canvas.fill(water, mood.horizon, 0.7 * np.clip(2.2 * ripples - 0.9, 0.0, 1.0))


def _foreground(canvas: Canvas, rng: Random) -> None:
    """Lead a path away from the eye, perhaps, and scatter flowers."""
    if rng.random() < 0.5:
        start, end, far = rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), rng.uniform(0.72, 0.8)
        near = np.clip((canvas.y - far) / (1.0 - far), 0.0, 1.0)
        middle = end + (start - end) * smooth(near)
        canvas.fill(np.maximum(np.abs(canvas.x - middle) - 0.015 - 0.10 * near, far - canvas.y), PATH)
    blossom = rng.choice(FLOWERS)
    for _ in range(rng.randrange(4, 18)):
        y = rng.uniform(0.84, 0.99)
        canvas.fill(canvas.ellipse(rng.random(), y, 0.012 * y * y + 0.004, 0.010), blossom)


def _mix(color: Color, other: Color, share: float) -> Color:
    """Blend two colors; share 0 gives the first."""
    red, green, blue = (a + share * (b - a) for a, b in zip(color, other, strict=True))
    return red, green, blue
