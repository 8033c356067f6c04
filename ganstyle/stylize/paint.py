"""One picture restyled: brought to the brush's size, through the network, and finished."""

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganstyle.artifact import Artifact
from ganstyle.backends.model import Model, style_count, style_number
from ganstyle.decode import Integers
from ganstyle.errors import ArtifactError
from ganstyle.nn.norms import Style
from ganstyle.stylize.colorspace import ColorSpace
from ganstyle.stylize.controls import Controls
from ganstyle.stylize.engine import Engine, Painted, style_of
from ganstyle.stylize.exported import Exported
from ganstyle.stylize.finish import finished
from ganstyle.stylize.maps import Strip
from ganstyle.stylize.masks import Mask
from ganstyle.stylize.memory import Announce, silent
from ganstyle.stylize.operations import Pointwise
from ganstyle.stylize.sources import Given, Pixels, integers

Image3 = Float[Tensor, "3 _ _"]


@dataclass(frozen=True)
class Brush:
    """What paints, and how."""

    engine: Engine | Exported
    controls: Controls
    style: Style | None = None

    def paint(self, photo: Given | Pixels) -> Painted:
        """Return the network's picture of a photograph of the network's kind."""
        return self.engine.restyle(photo, style=self.style, seed=self.controls.seed)


def brush_of(painter: object, controls: Controls, memory: int | None, announce: Announce = silent) -> Brush:
    """Make a brush of an artifact or an exported model. Raises ShapeError for a style that is not there."""
    if isinstance(painter, Artifact):
        engine = Engine(painter.network, memory, announce)
        return Brush(engine, controls, style_of(painter.network, painter.card.styles, controls.style))
    if not isinstance(painter, Model):
        raise ArtifactError(f"a {type(painter).__name__} is no model; give what `ganstyle.load` returns.")
    number = style_number(style_count(painter.card), painter.card.styles, controls.style)
    return Brush(Exported(painter, memory), controls, None if number is None else torch.tensor([number]))


def pixels_painted(
    brush: Brush, pixels: Integers, mask: Mask | None = None, space: ColorSpace | None = None
) -> Integers:
    """Restyle a picture of integers; the network sees it in sRGB, all else happens in the picture's own colors."""
    if brush.controls.strength == 0:
        return pixels.copy()
    photo = Pixels(pixels, brush.engine.kind)
    result = np.empty_like(pixels)
    painted = _painted_pixels(brush, pixels if space is None else space.to_srgb(pixels))
    if space is not None:
        painted = painted._replace(
            picture=Pointwise(painted.picture, partial(_in_own_colors, space, space.depth(pixels)))
        )
    for first, strip in painted.room.strips(finished(photo, painted, brush.controls, mask)):
        result[first : first + strip.shape[1]] = integers(strip, pixels.dtype)
    return result


def _in_own_colors(space: ColorSpace, depth: "np.dtype[np.unsignedinteger]", strip: Strip) -> Strip:
    """Turn an sRGB strip in [-1, 1] into the colors of the photograph's profile."""
    rows = space.from_srgb(integers(strip, depth)).transpose(2, 0, 1)
    numbers = torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32)).to(strip)
    return numbers.div_(np.iinfo(depth).max / 2).sub_(1)


def _painted_pixels(brush: Brush, pixels: Integers) -> Painted:
    """Let the network paint at the brush's size; between the sizes, a painting is kept in 16 bits."""
    height, width = pixels.shape[:2]
    rows, columns = brush.controls.sides(height, width)
    if (rows, columns) == (height, width):
        return brush.paint(Pixels(pixels, brush.engine.kind))
    painted = brush.paint(Pixels(_resized(pixels, rows, columns), brush.engine.kind))
    small = np.empty((rows, columns, 3), dtype=np.uint16)
    for first, strip in painted.room.strips(painted.picture):
        small[first : first + strip.shape[1]] = integers(strip, small.dtype)
    return painted._replace(picture=Pixels(_resized(small, height, width), brush.engine.kind))


def image_painted(brush: Brush, image: Image3, mask: Mask | None = None) -> Image3:
    """Restyle an image in [-1, 1]; the result is of its precision, and on its device."""
    if brush.controls.strength == 0:
        return image.clone()
    _, height, width = image.shape
    rows, columns = brush.controls.sides(height, width)
    kind = brush.engine.kind
    painted = brush.paint(Given(_scaled(image.to(kind), rows, columns)))
    if (rows, columns) != (height, width):
        whole = torch.cat([strip for _, strip in painted.room.strips(painted.picture)], dim=1)
        painted = painted._replace(picture=Given(_scaled(whole, height, width)))
    photo = Given(image.to(kind.device))
    result = torch.empty_like(image)
    for first, strip in painted.room.strips(finished(photo, painted, brush.controls, mask)):
        result[:, first : first + strip.shape[1]] = strip
    return result


def _resized(pixels: Integers, height: int, width: int) -> Integers:
    """Scale integers: by area when shrinking, bicubic when growing."""
    method = cv2.INTER_AREA if height < pixels.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), dtype=pixels.dtype)


def _scaled(image: Image3, height: int, width: int) -> Image3:
    """Scale an image in the same way, within [-1, 1]."""
    if image.shape[1:] == (height, width):
        return image
    mode = "area" if height < image.shape[1] else "bicubic"
    scaled: Tensor = F.interpolate(image[None], (height, width), mode=mode)[0].clamp(-1, 1)
    return scaled
