"""Pictures as maps: what goes into a network, grown to the sides that it takes, and what comes out, cropped back."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ganstyle.backends.padding import mirrored
from ganstyle.decode import Integers
from ganstyle.stylize.maps import Derived, Price, Shape, Strip


@dataclass(frozen=True)
class Pixels:
    """A picture of integers as a map in [-1, 1]."""

    pixels: Integers
    kind: Tensor
    """A tensor of the kind and on the device of the map's."""
    costly: bool = False

    @property
    def shape(self) -> Shape:
        """The picture's."""
        return Shape(3, *self.pixels.shape[:2])

    @property
    def price(self) -> Price:
        """A row before and after it was moved."""
        return Price(2 * self.shape.row, 0)

    def read(self, first: int, last: int) -> Strip:
        """Return the rows as numbers."""
        rows = np.ascontiguousarray(self.pixels[first:last].transpose(2, 0, 1), dtype=np.float32)
        return torch.from_numpy(rows).to(self.kind).div_(np.iinfo(self.pixels.dtype).max / 2).sub_(1)


def integers(strip: Strip, depth: "np.dtype[np.unsignedinteger]") -> Integers:
    """Turn a strip of an image in [-1, 1] into integers, channels last; values outside are clipped."""
    scaled = (strip + 1) * (np.iinfo(depth).max / 2)
    return scaled.clamp_(0, np.iinfo(depth).max).round_().permute(1, 2, 0).cpu().numpy().astype(depth)


@dataclass(frozen=True)
class Given:
    """An image in memory as a map."""

    image: Float[Tensor, "channels height width"]
    costly: bool = False

    @property
    def shape(self) -> Shape:
        """The image's."""
        return Shape(*self.image.shape)

    @property
    def price(self) -> Price:
        """A copy."""
        return Price(self.shape.row, 0)

    def read(self, first: int, last: int) -> Strip:
        """Return a copy of the rows."""
        return self.image[:, first:last].clone(memory_format=torch.contiguous_format)


@dataclass(frozen=True)
class Grown(Derived):
    """A map that goes on to the right and below by reflection, as `images.pad` does it."""

    rows: int
    columns: int

    @property
    def shape(self) -> Shape:
        """The grown one."""
        return Shape(self.input.shape.channels, self.rows, self.columns)

    def read(self, first: int, last: int) -> Strip:
        """Return the rows, mirrored where they lie outside."""
        _, height, width = self.input.shape
        places = mirrored(first, last, height)
        low = int(places.min())
        strip = self.input.read(low, int(places.max()) + 1)
        if last > height:
            strip = strip.index_select(1, torch.from_numpy(places - low).to(strip.device))
        if self.columns == width:
            return strip
        return strip.index_select(2, torch.from_numpy(mirrored(0, self.columns, width)).to(strip.device))


@dataclass(frozen=True)
class Cropped(Derived):
    """The upper left part of a map."""

    rows: int
    columns: int

    @property
    def shape(self) -> Shape:
        """What is left."""
        return Shape(self.input.shape.channels, self.rows, self.columns)

    @property
    def price(self) -> Price:
        """As its input's."""
        return self.input.price

    def read(self, first: int, last: int) -> Strip:
        """Return the left of the rows."""
        return self.input.read(first, last)[..., : self.columns].contiguous()
