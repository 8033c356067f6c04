"""Feature maps that are read in strips of rows: what a network computes, without the whole of it in memory."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

Strip = Float[Tensor, "_ _ _"]
"""Some rows of a map over its full width: channels x rows x columns."""
PerChannel = Float[Tensor, " _"]


class Shape(NamedTuple):
    """The size of a map."""

    channels: int
    rows: int
    columns: int

    @property
    def row(self) -> int:
        """Numbers in one row."""
        return self.channels * self.columns


class Price(NamedTuple):
    """What it takes to read one row, from the stored maps on."""

    numbers: float
    """Numbers that are in memory at once, at most."""
    products: float
    """Multiplications."""

    def __mul__(self, factor: object) -> "Price":
        """Return the price of more rows, or of a part of one."""
        if not isinstance(factor, float | int):
            return NotImplemented
        return Price(self.numbers * factor, self.products * factor)


@runtime_checkable
class Map(Protocol):
    """A feature map of one picture that can be asked for rows."""

    @property
    def shape(self) -> Shape:
        """Channels, rows and columns of the whole."""

    @property
    def price(self) -> Price:
        """What reading one row takes."""

    @property
    def costly(self) -> bool:
        """Whether reading it twice would compute much twice, so that it is better stored."""

    def read(self, first: int, last: int) -> Strip:
        """Return the rows from `first` up to, not including, `last`; the caller may overwrite them."""


@dataclass(frozen=True)
class Derived:
    """What maps computed from one other have in common; `read` is their own."""

    input: Map

    @property
    def shape(self) -> Shape:
        """As its input's."""
        return self.input.shape

    @property
    def price(self) -> Price:
        """As its input's, and a copy."""
        return Price(self.input.price.numbers + self.shape.row, self.input.price.products)

    @property
    def costly(self) -> bool:
        """As its input."""
        return self.input.costly


@dataclass(frozen=True)
class Moments:
    """How many numbers there are in each channel, their mean and the sum of their squared distances from it."""

    count: int
    mean: PerChannel
    squares: PerChannel

    @classmethod
    def of(cls, strip: Strip) -> "Moments":
        """Measure one strip, in float64 where numbers are added up over rows."""
        count = strip.shape[1] * strip.shape[2]
        center = strip.mean((1, 2), keepdim=True)
        away = strip - center
        shift = _total(away) / count
        squares = _total(away.square_()) - count * shift.square()
        return cls(count, center.flatten().double() + shift, squares.clamp_min(0))

    def joined(self, other: "Moments") -> "Moments":
        """Return the moments of both together (Chan, Golub & LeVeque 1979, eq. 2.1)."""
        count = self.count + other.count
        apart = other.mean - self.mean
        mean = self.mean + apart * (other.count / count)
        squares = self.squares + other.squares + apart.square() * (self.count * other.count / count)
        return Moments(count, mean, squares)

    @cached_property
    def variance(self) -> PerChannel:
        """The mean squared distance from the mean, as norms use it."""
        return self.squares / self.count


def _total(strip: Strip) -> PerChannel:
    """Sum each channel: rows in the strip's own precision, then their sums in float64."""
    return strip.sum(2).double().sum(1)
