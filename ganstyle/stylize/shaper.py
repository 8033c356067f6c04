"""ICC profiles that are curves and a matrix, in full depth: Pillow's engine computes in 8 bits."""

import struct
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Float64, UInt16
from numpy import ndarray

Rgb16 = UInt16[ndarray, "height width 3"]
SRGB = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
"""From linear sRGB (IEC 61966-2-1) to XYZ under D50, to which profiles refer; white adapted by Bradford's matrix."""
TOP, BAND = 65535, 64
"""The largest number of 16 bits, and how many rows are converted at once."""
NEAR = 2 / 255
"""How far from sRGB's numbers a profile's may be that is taken for sRGB; published ones, rounded, are 1 / 255 away."""
COLUMNS, CURVES, GRAY = (b"rXYZ", b"gXYZ", b"bXYZ"), (b"rTRC", b"gTRC", b"bTRC"), (b"kTRC",)
"""Tags of a profile."""
TERMS = {0: "g", 1: "gab", 2: "gabc", 3: "gabcd", 4: "gabcdef"}
"""The numbers of a parametric curve, by its kind (ICC.1:2010, table 65)."""


@dataclass(frozen=True)
class Shaper:
    """How much light the numbers of a picture stand for."""

    curves: Float64[ndarray, "channels 65536"]
    """Of each channel, the light from 0 to 1 of every number of 16 bits."""
    matrix: Float64[ndarray, "3 channels"]
    """From the channels' light to that of sRGB's; of a gray profile, three ones."""

    def to_srgb(self, pixels: Rgb16) -> Rgb16:
        """Turn a picture's numbers into sRGB's; of a gray profile, those of its first channel."""
        result = np.empty_like(pixels)
        for top in range(0, len(pixels), BAND):
            band = pixels[top : top + BAND]
            light = np.stack([curve[band[..., channel]] for channel, curve in enumerate(self.curves)], axis=-1)
            result[top : top + BAND] = _rounded(_encoded(light @ self.matrix.T))
        return result

    def from_srgb(self, pixels: Rgb16) -> Rgb16:
        """Turn sRGB's numbers into the picture's; colors beyond what they can say are clipped."""
        result = np.empty_like(pixels)
        numbers = np.arange(TOP + 1) / TOP
        for top in range(0, len(pixels), BAND):
            light = _SRGB_CURVE[pixels[top : top + BAND]] @ self._back.T
            for channel, curve in enumerate(self.curves):
                result[top : top + BAND, :, channel] = _rounded(np.interp(light[..., channel], curve, numbers))
        return result

    @cached_property
    def _back(self) -> Float64[ndarray, "3 3"]:
        return np.linalg.inv(self.matrix)


def shaper(profile: bytes) -> Shaper | None:
    """Read a profile; None for one with tables of colors, or that cannot be read."""
    try:
        tags = _tags(profile)
        if profile[20:24] != b"XYZ " or b"A2B0" in tags:
            return None
        if profile[16:20] == b"GRAY":
            return Shaper(np.stack([_curve(tags[name]) for name in GRAY]), np.ones((3, 1)))
        columns = np.stack([np.array(struct.unpack_from(">3i", tags[name], 8)) / 65536 for name in COLUMNS], axis=1)
        return Shaper(np.stack([_curve(tags[name]) for name in CURVES]), np.linalg.inv(SRGB) @ columns)
    except (KeyError, IndexError, ValueError, ZeroDivisionError, struct.error, np.linalg.LinAlgError):
        return None


@lru_cache(maxsize=8)
def is_srgb(profile: bytes) -> bool:
    """Say whether the curves and the matrix of a profile are those of sRGB, whatever its name."""
    known = shaper(profile)
    if known is None or len(known.curves) < 3:
        return False
    lights = np.indices((3, 3, 3)).reshape(3, -1) / 2
    apart = np.abs(_encoded(known.matrix @ lights) - _encoded(lights)).max()
    return bool(max(apart, np.abs(_encoded(known.curves) - _NUMBERS).max()) <= NEAR)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = [struct.unpack_from(">4sII", profile, 132 + 12 * number) for number in range(min(count, 1000))]
    return {name: profile[place : place + size] for name, place, size in entries}


def _curve(tag: bytes) -> Float64[ndarray, "65536"]:
    """Evaluate a curve at every number. Raises ValueError for one that is unknown or falls."""
    x = np.arange(TOP + 1) / TOP
    if tag[:4] == b"para":
        light = _parametric(tag, x)
    elif tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        values = np.frombuffer(tag, ">u2", count, 12)
        steps = np.linspace(0, 1, max(2, count))
        light = x if count == 0 else x ** (values[0] / 256) if count == 1 else np.interp(x, steps, values / TOP)
    else:
        raise ValueError("an unknown kind of curve")
    if not np.isfinite(light).all() or (np.diff(light) < 0).any():
        raise ValueError("a curve that falls")
    return np.asarray(np.clip(light, 0.0, 1.0))


def _parametric(tag: bytes, x: Float64[ndarray, "65536"]) -> Float64[ndarray, "65536"]:
    """Above d (or where ax + b is positive) (ax + b)^g + e, below cx + f."""
    (kind,) = struct.unpack_from(">H", tag, 8)
    names = TERMS.get(kind, "")
    if not names:
        raise ValueError("an unknown kind of curve")
    numbers = np.array(struct.unpack_from(f">{len(names)}i", tag, 12)) / 65536
    terms = dict.fromkeys("abcdef", 0.0) | {"a": 1.0} | dict(zip(names, numbers.tolist(), strict=True))
    start = terms["d"] if "d" in names else -terms["b"] / terms["a"]
    power = np.maximum(terms["a"] * x + terms["b"], 0.0) ** terms["g"]
    if kind == 2:
        return np.asarray(np.where(x >= start, power + terms["c"], terms["c"]))
    return np.asarray(np.where(x >= start, power + terms["e"], terms["c"] * x + terms["f"]))


def _encoded(light: Float64[ndarray, "..."]) -> Float64[ndarray, "..."]:
    """Turn linear light into sRGB's numbers from 0 to 1."""
    light = np.clip(light, 0.0, 1.0)
    return np.asarray(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


def _rounded(numbers: Float64[ndarray, "..."]) -> UInt16[ndarray, "..."]:
    return np.asarray(np.rint(numbers * TOP), dtype=np.uint16)


_NUMBERS = np.arange(TOP + 1) / TOP
_SRGB_CURVE = np.where(_NUMBERS <= 0.04045, _NUMBERS / 12.92, ((_NUMBERS + 0.055) / 1.055) ** 2.4)
