"""From the network's picture to the one that was asked for: colors, strength, mask."""

from dataclasses import dataclass
from functools import reduce

import torch

from ganstyle.color import ColorMoments, ColorSums, transport
from ganstyle.stylize.controls import Controls
from ganstyle.stylize.engine import Painted
from ganstyle.stylize.maps import Map, Price, Shape, Strip
from ganstyle.stylize.masks import Mask
from ganstyle.stylize.operations import Pointwise
from ganstyle.stylize.store import Storeroom

LUMA = (0.299, 0.587, 0.114)
"""How bright red, green and blue are (ITU-R BT.601)."""


@dataclass(frozen=True)
class _Over:
    """What maps of a photograph and its painting have in common."""

    photo: Map
    painting: Map

    @property
    def shape(self) -> Shape:
        """The photograph's."""
        return self.photo.shape

    @property
    def price(self) -> Price:
        """Of both, and two copies."""
        one, other = self.photo.price, self.painting.price
        return Price(one.numbers + other.numbers + 2 * self.shape.row, one.products + other.products)

    @property
    def costly(self) -> bool:
        """A few operations a pixel are not."""
        return False


@dataclass(frozen=True)
class Lightened(_Over):
    """A photograph that takes its lightness from a painting, and keeps its differences of color."""

    def read(self, first: int, last: int) -> Strip:
        """Move all three colors of a pixel by the same amount."""
        photo = self.photo.read(first, last)
        luma = photo.new_tensor(LUMA)[:, None, None]
        change = self.painting.read(first, last).to(photo) - photo
        return photo.add_((change * luma).sum(0)).clamp_(-1, 1)


@dataclass(frozen=True)
class Blended(_Over):
    """A painting over a photograph, as strongly as asked and where the mask says."""

    strength: float
    mask: Mask | None = None

    def read(self, first: int, last: int) -> Strip:
        """Go from the photograph towards the painting; where nothing is asked for, not at all."""
        photo = self.photo.read(first, last)
        change = self.painting.read(first, last).to(photo).sub_(photo).mul_(self.strength)
        if self.mask is not None:
            change.mul_(torch.from_numpy(self.mask[first:last]).to(photo))
        return photo.add_(change).clamp_(-1, 1)


def finished(photo: Map, painted: Painted, controls: Controls, mask: Mask | None) -> Map:
    """Put colors, strength and mask on the network's picture; `photo` may be of another precision."""
    painting = painted.picture
    if controls.keep_color == "luminance":
        painting = Lightened(photo, painting)
    if controls.keep_color == "mkl":
        painting = _recolored(photo, painted)
    if mask is None and controls.strength == 1:
        return painting
    return Blended(photo, painting, controls.strength, mask)


def _recolored(photo: Map, painted: Painted) -> Map:
    """Give a painting the photograph's mean color and covariance, by the linear map of least displacement."""
    painting = painted.room.keep(painted.picture, measure=False)
    own, wanted = _colors(painting, painted.room), _colors(photo, painted.room)
    matrix = transport(own.covariance, wanted.covariance)
    offset = wanted.mean - matrix @ own.mean

    def recolor(strip: Strip) -> Strip:
        moved = torch.einsum("oc,crw->orw", matrix.to(strip), strip) + offset.to(strip)[:, None, None]
        return moved.clamp_(-1, 1)

    return Pointwise(painting, recolor)


def _colors(picture: Map, room: Storeroom) -> ColorMoments:
    return reduce(ColorSums.joined, (ColorSums.of(strip) for _, strip in room.strips(picture))).moments
