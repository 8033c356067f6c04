"""How much an image holds of light and color at each scale, wherever it is and whichever way it runs."""

from functools import lru_cache

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganstyle.color import OPPONENT, QUIET
from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Image

OCTAVES = 5


@in_full_precision
def band_energies(image: Image) -> Float[Tensor, "batch bands"]:
    """Logarithms of the mean energy in the octaves of light, then of two opponent colors, the finest first.

    An octave is what a blur of 5 pixels takes away; the next one is that of the image at half the size, up to five, or
    as many as leave 2 pixels. A logarithm
    follows ratios: a gray picture among colorful ones is as far from these as they are from it, whereas in means of
    products (Gram matrices) it hardly counts. An image without any contrast has log (2/255)^2 everywhere.

    Source: Burt & Adelson 1983 (the octaves); Ruderman et al. 1998 (opponent colors as axes of natural images).
    """
    planes = torch.einsum("oc,bchw->bohw", _axes(image.device, image.dtype), image)
    energies: list[Tensor] = []
    while not energies or (len(energies) < OCTAVES and min(planes.shape[2:]) >= 4):
        planes = F.avg_pool2d(planes, 2) if energies else planes
        energies.append((planes - _blurred(planes)).square().mean((2, 3)))
    return (torch.stack(energies, 2).flatten(1) + QUIET).log()


@lru_cache(maxsize=8)
def _axes(device: torch.device, dtype: torch.dtype) -> Float[Tensor, "opponent channels"]:
    return F.normalize(torch.tensor(OPPONENT), dim=1).to(device, dtype)


@lru_cache(maxsize=8)
def _filter(device: torch.device, dtype: torch.dtype) -> Float[Tensor, "5 5"]:
    line = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]).to(device, dtype) / 16
    return torch.outer(line, line)


def _blurred(planes: Float[Tensor, "batch planes rows columns"]) -> Float[Tensor, "batch planes rows columns"]:
    filters = _filter(planes.device, planes.dtype).expand(planes.shape[1], 1, -1, -1)
    return F.conv2d(F.pad(planes, (2, 2, 2, 2), mode="replicate"), filters, groups=planes.shape[1])
