"""What networks are made of, as maps of other maps: each says which rows of its input a strip of its own needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganstyle.draws import generator_of
from ganstyle.nn.upsample import NearestConvolution
from ganstyle.stylize.maps import Derived, Map, PerChannel, Price, Shape, Strip

CHEAP_GROUPS = 2
"""From this many groups on a convolution counts as cheap: the depthwise one before a 1 x 1 is not worth storing."""


@dataclass(frozen=True)
class Convolved:
    """A convolution, padded at the borders of the picture only."""

    input: Map
    layer: nn.Conv2d

    @property
    def shape(self) -> Shape:
        """Of the result."""
        rows, columns = (self._side(side) for side in self.input.shape[1:])
        return Shape(self.layer.out_channels, rows, columns)

    def _side(self, side: int) -> int:
        kernel, stride, border = self._geometry
        return (side + 2 * border - kernel) // stride + 1

    @property
    def _geometry(self) -> tuple[int, int, int]:
        """Kernel, stride and padding; all layers of the networks are square."""
        padding = self.layer.padding
        return self.layer.kernel_size[0], self.layer.stride[0], int(padding[0])

    @property
    def price(self) -> Price:
        """Padded input rows and result rows."""
        before = self.input.price * self.layer.stride[0]
        held = 2 * self.layer.stride[0] * self.input.shape.row + 2 * self.shape.row
        return Price(before.numbers + held, before.products + self.shape.columns * self.layer.weight.numel())

    @property
    def costly(self) -> bool:
        """Depthwise convolutions are not."""
        return self.layer.groups < CHEAP_GROUPS or self.input.costly

    def read(self, first: int, last: int) -> Strip:
        """Convolve the rows and their neighbors."""
        kernel, stride, border = self._geometry
        layer, reflects = self.layer, self.layer.padding_mode == "reflect"
        edge = "reflect" if reflects else "constant"
        rows = padded_rows(self.input, first * stride - border, (last - 1) * stride - border + kernel, edge)[None]
        padded = F.pad(rows, (border, border, 0, 0), mode=edge) if reflects else rows
        sides = (0, 0 if reflects else border)
        return F.conv2d(padded, layer.weight, layer.bias, layer.stride, sides, layer.dilation, layer.groups)[0]


@dataclass(frozen=True)
class Doubled:
    """A map of twice the rows and columns.

    `double` takes a strip of n + 2 rows and returns the 2 n that belong to those in the middle. `edge` says what stands
    above and below the picture, in the words of `padded_rows`.
    """

    input: Map
    double: Callable[[Strip], Strip]
    channels: int
    products: float
    """Multiplications for one number of the input."""
    edge: str
    costly: bool = True

    @property
    def shape(self) -> Shape:
        """Of the result."""
        return Shape(self.channels, 2 * self.input.shape.rows, 2 * self.input.shape.columns)

    @property
    def price(self) -> Price:
        """Half of an input row, and result rows."""
        before = self.input.price * 0.5
        products = before.products + self.products * self.input.shape.row / 2
        return Price(before.numbers + self.input.shape.row + 2 * self.shape.row, products)

    def read(self, first: int, last: int) -> Strip:
        """Double the rows that the strip falls on."""
        top, bottom = first // 2, -(-last // 2)
        doubled = self.double(padded_rows(self.input, top - 1, bottom + 1, self.edge))
        return doubled[:, first - 2 * top : last - 2 * top]


def transposed(x: Map, layer: nn.ConvTranspose2d) -> Doubled:
    """Make the transposed convolution of kernel 3 or 4 that doubles the sides."""

    def double(strip: Strip) -> Strip:
        return layer(strip[None])[0, :, 2:-2]  # type: ignore[no-any-return]

    return Doubled(x, double, layer.out_channels, layer.weight.numel() / layer.in_channels, "constant")


def resized_and_convolved(x: Map, layer: NearestConvolution) -> Doubled:
    """Make the convolution of a map whose pixels are repeated, by its four small kernels."""
    outputs = cast(nn.Conv2d, layer[1]).out_channels

    def double(strip: Strip) -> Strip:
        return layer.from_padded(F.pad(strip[None], (1, 1, 0, 0), mode=layer.edge))[0]

    return Doubled(x, double, outputs, 16.0 * outputs, layer.edge)


def resized(x: Map, layer: nn.Upsample) -> Doubled:
    """Resize to twice the sides, nearest or bilinear; cheap."""

    def double(strip: Strip) -> Strip:
        return layer(strip[None])[0, :, 2:-2]  # type: ignore[no-any-return]

    return Doubled(x, double, x.shape.channels, 8.0, "replicate", costly=x.costly)


@dataclass(frozen=True)
class Shuffled:
    """Four channels dealt out to 2 x 2 pixels."""

    input: Map

    @property
    def shape(self) -> Shape:
        """Of the result."""
        channels, rows, columns = self.input.shape
        return Shape(channels // 4, 2 * rows, 2 * columns)

    @property
    def price(self) -> Price:
        """Half of an input row, and its copy."""
        before = self.input.price * 0.5
        return Price(before.numbers + 2 * self.shape.row, before.products)

    @property
    def costly(self) -> bool:
        """As its input."""
        return self.input.costly

    def read(self, first: int, last: int) -> Strip:
        """Shuffle the rows that the strip falls on."""
        top, bottom = first // 2, -(-last // 2)
        shuffled = F.pixel_shuffle(self.input.read(top, bottom), 2)
        return shuffled[:, first - 2 * top : last - 2 * top].contiguous()


@dataclass(frozen=True)
class Pointwise(Derived):
    """A function of each pixel by itself, such as an activation."""

    function: Callable[[Tensor], Tensor]

    def read(self, first: int, last: int) -> Strip:
        """Apply the function."""
        return self.function(self.input.read(first, last))


def normalized(
    x: Map, mean: PerChannel, variance: PerChannel, eps: float, scale: Tensor | None, shift: Tensor | None
) -> Pointwise:
    """Take the mean away, divide by the deviation, then scale and shift each channel."""
    slope = (variance + eps).rsqrt() * (1 if scale is None else scale.double())

    def normalize(strip: Strip) -> Strip:
        center, factor = (values.to(strip.dtype)[:, None, None] for values in (mean, slope))
        strip.sub_(center).mul_(factor)
        return strip if shift is None else strip.add_(shift.to(strip.dtype)[:, None, None])

    return Pointwise(x, normalize)


@dataclass(frozen=True)
class Sum:
    """Two maps added: the end of a residual block."""

    one: Map
    other: Map
    costly: bool = True
    """So that a row of blocks is not added up from its beginning at every one."""

    @property
    def shape(self) -> Shape:
        """Of either."""
        return self.one.shape

    @property
    def price(self) -> Price:
        """Of both."""
        return _together(self.one.price, self.other.price)

    def read(self, first: int, last: int) -> Strip:
        """Add the rows of both."""
        return self.one.read(first, last).add_(self.other.read(first, last))


@dataclass(frozen=True)
class Joined:
    """The channels of one map, then those of another: a skip connection."""

    one: Map
    other: Map

    @property
    def shape(self) -> Shape:
        """All channels."""
        return self.one.shape._replace(channels=self.one.shape.channels + self.other.shape.channels)

    @property
    def price(self) -> Price:
        """Of both, and their copy."""
        numbers, products = _together(self.one.price, self.other.price)
        return Price(numbers + self.shape.row, products)

    @property
    def costly(self) -> bool:
        """If one is."""
        return self.one.costly or self.other.costly

    def read(self, first: int, last: int) -> Strip:
        """Put the rows of both on top of each other."""
        return torch.cat([self.one.read(first, last), self.other.read(first, last)])


@dataclass(frozen=True)
class Noisy(Derived):
    """Dropout that acts at test; every row of every layer has a draw of its own, however the strips lie."""

    probability: float
    seed: int
    layer: int

    @property
    def price(self) -> Price:
        """As its input's, and the draws."""
        return Price(self.input.price.numbers + 2 * self.shape.row, self.input.price.products)

    def read(self, first: int, last: int) -> Strip:
        """Set numbers to zero at random and scale the rest up."""
        rows = self.input.read(first, last)
        kept = torch.stack([self._kept(row) for row in range(first, last)], dim=1)
        return rows.mul_(kept.to(rows)).div_(1 - self.probability)

    def _kept(self, row: int) -> Tensor:
        generator = generator_of("dropout", self.seed, self.layer, row)
        return torch.rand(self.shape.channels, self.shape.columns, generator=generator) >= self.probability


def padded_rows(source: Map, first: int, last: int, mode: str) -> Strip:
    """Read rows that may lie outside of the map: zero ("constant"), mirrored ("reflect") or repeated ("replicate")."""
    end = source.shape.rows
    if first >= 0 and last <= end:
        return source.read(first, last)
    if mode == "constant":
        inside = source.read(max(0, first), min(last, end))
        return F.pad(inside, (0, 0, max(0, -first), max(0, last - end)))
    places = torch.arange(first, last)
    places = places.clamp(0, end - 1) if mode == "replicate" else (end - 1 - (end - 1 - places.abs()).abs())
    low, high = int(places.min()), int(places.max()) + 1
    strip = source.read(low, high)
    return strip.index_select(1, (places - low).to(strip.device))


def _together(one: Price, other: Price) -> Price:
    return Price(one.numbers + other.numbers, one.products + other.products)
