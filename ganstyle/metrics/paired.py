"""Scores of a result beside the target of its pair."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from ganstyle.errors import DataError
from ganstyle.metrics.known_answer import PEAK
from ganstyle.types import Image

STEP = 2.0 / 255.0
"""One step of an 8-bit channel, in the range [-1, 1]."""
CELLS = 64
"""Cells that colors are counted in, along each channel."""
NEAR, APART = 12 * STEP, 24 * STEP
"""How far channels of a pixel may be from its label, as JPEG and resampling blur labels; and labels from each other."""
MOST_LABELS, LEAST, COVERED = 32, 0.005, 0.65
"""Labels there may be; the share of all pixels that is one; the share that they must cover together.

Of maps and facades they cover 0.82 and 1.00, of aerial photographs 0.44, of other photographs and paintings 0.26 or
less.
"""
Labels = Float[Tensor, "labels 3"]


def l1(result: Image, target: Image) -> Float[Tensor, " batch"]:
    """Mean absolute difference of each picture, of a range of 2."""
    return (result.double() - target.double()).abs().mean((1, 2, 3))


def ssim(result: Image, target: Image) -> Float[Tensor, " batch"]:
    """Structural similarity of each picture: 1 for equal ones (Wang et al. 2004, eq. 13; by torchmetrics)."""
    found = structural_similarity_index_measure(result, target, data_range=PEAK, reduction="none")
    assert isinstance(found, Tensor)  # a pair only where more is asked for
    return found.double()


def label_colors(targets: Image) -> Labels | None:
    """Find the colors that label-like targets consist of; None if these are pictures.

    The most frequent color is a label if one pixel in 200 is near it (12 steps of 8 bits in every channel); then the
    most frequent one that lies apart from it (24 steps), and so on. At most 32 labels must cover 65 % of all pixels.
    """
    pixels = targets.movedim(1, -1).reshape(-1, 3)
    labels: list[Tensor] = []
    left, covered = pixels, 0
    while len(left) and len(labels) < MOST_LABELS:
        color = _most_frequent(left)
        distance = (left - color).abs().amax(1)
        near = int((distance <= NEAR).sum())
        if near < LEAST * len(pixels):
            break
        labels.append(color)
        covered += near
        left = left[distance > APART]
    return torch.stack(labels) if labels and covered >= COVERED * len(pixels) else None


def label_accuracy(result: Image, target: Image, labels: Labels) -> Float[Tensor, " batch"]:
    """Share of pixels of each picture whose nearest label is that of the target's pixel.

    Raises:
        DataError: there is no label.
    """
    if not len(labels):
        raise DataError("label accuracy needs the colors of the labels, but there is none.")
    return (_nearest(result, labels) == _nearest(target, labels)).double().mean((1, 2))


def _most_frequent(pixels: Float[Tensor, "pixels 3"]) -> Float[Tensor, "3"]:
    """Mean color of the fullest cell."""
    cells = ((pixels + 1) / 2 * CELLS).long().clamp(0, CELLS - 1) @ torch.tensor([CELLS**2, CELLS, 1])
    return pixels[cells == torch.bincount(cells).argmax()].mean(0)


def _nearest(image: Image, labels: Labels) -> Int[Tensor, "batch height width"]:
    """Number of the label that each pixel is nearest to; the first of two that are equally near."""
    distances = [(image - label.reshape(1, 3, 1, 1)).square().sum(1) for label in labels]
    return torch.stack(distances).argmin(0)
