"""What an artist may ask for: how strongly, in whose colors, with how large a brush."""

from dataclasses import dataclass
from typing import Any

from ganstyle.errors import GanstyleError, unknown

KEEP_COLOR = ("luminance", "mkl", "off")
STRONGEST = 1.5
SIZES = (0.25, 8.0)


class ControlError(GanstyleError):
    """A control whose value does not fit."""


@dataclass(frozen=True)
class Controls:
    """How a picture is restyled. Raises ControlError for values that do not fit."""

    strength: float = 1.0
    """How far to go from the photograph (0) to the network's picture (1), pixel by pixel and in a straight line; above
    1 as far beyond, at most 1.5. Values are clipped to what a picture can hold, so the change never shrinks."""
    keep_color: str = "off"
    """`luminance` takes only the lightness from the network's picture; `mkl` moves its colors linearly to the mean and
    covariance of the photograph's; `off` leaves them."""
    size: float = 1.0
    """How large the brush is: at 2, the network works on half the sides, and its strokes are twice as large."""
    feather: float = 0.0
    """Over how many pixels, inwards from its edge, a mask goes from nothing to full."""
    seed: int = 0
    """Of what a network with dropout at test draws."""
    style: int | str | None = None
    """Which of the network's styles, by number or name, where it has several."""

    def __post_init__(self) -> None:
        _require_within("strength", self.strength, 0.0, STRONGEST)
        _require_within("size", self.size, *SIZES)
        _require_within("feather", self.feather, 0.0, 10_000.0)
        if self.keep_color not in KEEP_COLOR:
            raise ControlError(unknown("way to keep color", self.keep_color, KEEP_COLOR))
        if self.seed < 0:
            raise ControlError(f"seed is {self.seed}, but it is a number from 0 on.")

    def sides(self, height: int, width: int) -> tuple[int, int]:
        """Return in which size the network sees a picture, for the brush to be as large as it is asked to be."""
        return max(1, round(height / self.size)), max(1, round(width / self.size))


def _require_within(name: str, value: Any, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ControlError(f"{name} is {value}, but it is a number from {low:g} to {high:g}.")
