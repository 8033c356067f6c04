"""Brushwork as energy by scale and orientation, of light and of two opponent colors."""

from math import pi

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganstyle.color import OPPONENT, QUIET
from ganstyle.errors import ShapeError
from ganstyle.types import Image

OCTAVES, ORIENTATIONS = 4, 6
FINEST = (0, 1, 1)
"""The finest octave of each: JPEG files mostly hold color at half the resolution (4:2:0), so that below lies what
became of a file, and no brushwork. Any change to such a file was farther from such paintings by that alone."""
WAVELENGTH, DEVIATION, REACH = 4.0, 2.0, 5
"""Of a filter, in pixels of its octave: about one octave of bandwidth."""


def gabor_energies(images: Image) -> Float[Tensor, "pictures 60"]:
    """Describe each picture by the logarithms of its mean Gabor energies.

    One number for each of six orientations in four octaves of light, then in the three coarser ones of red-green, then
    of yellow-blue. They follow brushwork's size, direction and contrast, and ignore where it is.

    Raises:
        ShapeError: pictures smaller than a filter at the last octave.

    Source: Manjunath & Ma 1996 (texture by Gabor energies); Jain & Healey 1998 (of opponent colors).
    """
    _require_size(images)
    axes = F.normalize(torch.tensor(OPPONENT), dim=1).to(images)
    planes = torch.einsum("oc,bchw->obhw", axes, images)
    filters = _filters().to(images)
    found = [
        _energies(F.avg_pool2d(plane[:, None], 2**octave), filters)
        for plane, finest in zip(planes, FINEST, strict=True)
        for octave in range(finest, OCTAVES)
    ]
    return (torch.cat(found, 1).double() + QUIET).log()


def _energies(planes: Float[Tensor, "planes 1 rows columns"], filters: Tensor) -> Float[Tensor, "planes orientations"]:
    """Mean of squared responses, even and odd added, so that the phase of a stroke does not count."""
    responses = F.conv2d(planes, filters).square().mean((2, 3))
    return responses.reshape(-1, 2, ORIENTATIONS).sum(1)


def _filters() -> Float[Tensor, "filters 1 side side"]:
    """Even filters, then odd ones, of six orientations: blind to flat planes, of length 1."""
    place = torch.arange(-REACH, REACH + 1.0)
    angle = torch.arange(ORIENTATIONS).reshape(-1, 1, 1) * (pi / ORIENTATIONS)
    phase = 2 * pi / WAVELENGTH * (place * angle.cos() + place[:, None] * angle.sin())
    window = torch.exp(-(place.square() + place[:, None].square()) / (2 * DEVIATION**2))
    even = window * (phase.cos() - (window * phase.cos()).sum((1, 2), keepdim=True) / window.sum())
    filters = torch.cat([even, window * phase.sin()])
    return F.normalize(filters.flatten(1), dim=1).reshape(-1, 1, *window.shape)


def _require_size(images: Tensor) -> None:
    least = (2 * REACH + 1) * 2 ** (OCTAVES - 1)
    if min(images.shape[2:]) < least:
        raise ShapeError(
            f"Gabor energies are taken at {OCTAVES} octaves, which needs pictures of at least {least} x {least} "
            f"pixels, but got {images.shape[2]} x {images.shape[3]}; judge larger pictures."
        )
