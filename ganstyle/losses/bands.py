"""How much an image holds of light and color at each scale and in each direction, wherever it is."""

from math import pi

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Image

OPPONENT = ((1.0, 1.0, 1.0), (1.0, -1.0, 0.0), (1.0, 1.0, -2.0))
"""Light, red against green, yellow against blue; brought to length 1."""
OCTAVES, DIRECTIONS = 5, 4
QUIET = (2.0 / 255.0) ** 2
"""Energy that counts as none: that of one step of 8 bits."""


@in_full_precision
def band_energies(image: Image) -> Float[Tensor, "batch bands"]:
    """Logarithms of the mean energy of light, then of two opponent colors: by octave, the finest first, and direction.

    Filters are second derivatives of a Gaussian of one pixel, which answer most to waves of 4.4 pixels along 0, 45, 90
    and 135 degrees; each octave is the image at half the size of the one before, up to five, or as many as leave 2
    pixels. A logarithm follows ratios: a gray picture among colorful ones is as far from these as they are from it,
    whereas in means of products (Gram matrices) it hardly counts. Without any contrast all are log (2/255)^2.

    Source: Freeman & Adelson 1991 (the filters); Burt & Adelson 1983 (the octaves); Ruderman et al. 1998 (opponent
    colors as axes of natural images).
    """
    axes = F.normalize(torch.tensor(OPPONENT), dim=1).to(image)
    planes = torch.einsum("oc,bchw->bohw", axes, image)
    energies: list[Tensor] = []
    while not energies or (len(energies) < OCTAVES and min(planes.shape[2:]) >= 4):
        planes = F.avg_pool2d(planes, 2) if energies else planes
        energies.append(_energies(planes))
    return (torch.stack(energies, 2).flatten(1) + QUIET).log()


def _energies(planes: Float[Tensor, "batch planes rows columns"]) -> Float[Tensor, "batch planes directions"]:
    padded = F.pad(planes, (2, 2, 2, 2), mode="replicate").flatten(0, 1)[:, None]
    responses = F.conv2d(padded, _filters().to(planes))
    return responses.square().mean((2, 3)).reshape(*planes.shape[:2], DIRECTIONS)


def _filters() -> Float[Tensor, "directions 1 side side"]:
    """Second derivatives of a Gaussian along each direction: blind to flat planes, of length 1."""
    place = torch.arange(-2.0, 3.0)
    angle = (torch.arange(DIRECTIONS) * (pi / DIRECTIONS)).reshape(-1, 1, 1)
    along = place * angle.cos() + place[:, None] * angle.sin()
    window = torch.exp(-(place.square() + place[:, None].square()) / 2)
    filters = (along.square() - 1) * window
    filters = filters - window * filters.sum((1, 2), keepdim=True) / window.sum()
    return F.normalize(filters.flatten(1), dim=1).reshape(-1, 1, *window.shape)
