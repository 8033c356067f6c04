"""A few hundred numbers per picture, cheap and always the same, in which sets of pictures are compared."""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganstyle.draws import generator_of
from ganstyle.types import Image, Scalar

SIDE, GRID, KERNELS, REACH = 32, 4, 16, 5
"""Pixels a picture is averaged to; places along each side; random filters; their side."""
FAR, DOUBLE = 1e9, 1e-4
"""Farther than any picture; the share of its own length within which a sketch is another's double."""
Sketches = Float[Tensor, "pictures numbers"]


@lru_cache(maxsize=4)
def filters(device: torch.device) -> Float[Tensor, "filters 3 rows columns"]:
    """Return the fixed random filters: of norm one, and of mean zero in every channel, so that they see no color."""
    drawn = torch.randn(KERNELS, 3, REACH, REACH, generator=generator_of("watch", "filters"))
    centered = drawn - drawn.mean((2, 3), keepdim=True)
    norms: Tensor = centered.flatten(1).norm(dim=1)
    return (centered / norms[:, None, None, None]).to(device)


@torch.no_grad()
def sketch(images: Image) -> Sketches:
    """Return the mean color in 4 x 4 places and the energy of 16 random filters there: 304 numbers a picture.

    What is no number, or beyond all numbers, counts as zero.
    """
    with torch.autocast(images.device.type, enabled=False):
        small = F.adaptive_avg_pool2d(images.float().nan_to_num(0.0, 0.0, 0.0), SIDE)
        energy = F.conv2d(small, filters(images.device), stride=2).abs()
        parts = (F.adaptive_avg_pool2d(small, GRID), F.adaptive_avg_pool2d(energy, GRID))
        return torch.cat([part.flatten(1) for part in parts], 1)


def effective_rank(sketches: Sketches) -> Scalar:
    """Return exp of the entropy of the normalized spectrum: how many directions the pictures differ in.

    From 1 (all along one line, or all the same) to the number of pictures less one.
    Source: Roy & Vetterli 2007, definition 1, with eigenvalues of the covariance in place of singular values.
    """
    centered = (sketches - sketches.mean(0)).double()
    spectrum = torch.linalg.eigvalsh(centered @ centered.T).clamp(min=0)
    shares = spectrum / spectrum.sum().clamp(min=torch.finfo(torch.float64).tiny)
    entropy: Tensor = torch.special.entr(shares).sum()
    return entropy.exp()


def spread(sketches: Sketches) -> Scalar:
    """Return the median distance between a picture and the next; 0 where there is one only.

    The next is, as a rule, of the same batch: a generator that moves between batches, but makes the same picture of
    everything at each moment, has no spread.
    """
    if len(sketches) < 2:
        return torch.zeros((), dtype=torch.float64)
    steps: Tensor = (sketches[1:] - sketches[:-1]).double().norm(dim=1)
    return steps.median()


def nearest(sketches: Sketches, among: Float[Tensor, "others numbers"]) -> Float[Tensor, " pictures"]:
    """Return each picture's distance to the nearest of others."""
    return torch.cdist(sketches.double(), among.double()).amin(1)


def compared(sketches: Sketches) -> dict[str, Scalar]:
    """Return `rank`, `spread` and `distinct` of a crowd of pictures: the share of them that have no double."""
    distances = torch.cdist(sketches.double(), sketches.double()) + torch.eye(len(sketches)) * FAR
    double = distances.amin(1) < DOUBLE * sketches.double().norm(dim=1)
    return {"rank": effective_rank(sketches), "spread": spread(sketches), "distinct": 1 - double.double().mean()}
