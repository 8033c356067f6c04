"""A trained generator at work on a picture of any size."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from torch import Tensor, nn

from ganstyle import artifact as artifacts
from ganstyle import images
from ganstyle.artifact import Artifact, Card
from ganstyle.errors import ImageError, ShapeError
from ganstyle.types import Image

Picture = TypeVar("Picture", Pillow.Image, NDArray[Any], Tensor)
"""A Pillow picture; RGB bytes, height x width x 3; or images in [-1, 1], (batch x) 3 x height x width."""
LEAST_SIDE = 32
"""Pixels; a smaller picture is grown by reflection first, for the padding inside the networks."""


@dataclass(frozen=True)
class Stylizer:
    """An artifact, ready to restyle pictures."""

    artifact: Artifact

    @property
    def card(self) -> Card:
        """What the artifact says of itself."""
        return self.artifact.card

    def stylize(self, image: Picture) -> Picture:
        """Restyle a picture; see `stylize`."""
        return stylize(self.artifact, image)


def load(folder: Path | str) -> Stylizer:
    """Read an artifact from its folder; raises ArtifactError when it is missing or damaged."""
    return Stylizer(artifacts.load(folder))


def stylize(artifact: Artifact, image: Picture) -> Picture:
    """Restyle a picture of any size; the result has the same size and is of the same kind as what was given.

    The picture is grown by reflection to the sides that the network takes, and cropped back.
    Raises ShapeError for an array that is not height x width x 3 or a tensor that is not (batch x) 3 x height x width,
    ImageError for bytes where floats belong or the reverse, and for a tensor with values outside [-1, 1].
    """
    if isinstance(image, Tensor):
        return _restyled_tensor(artifact.network, image)
    if isinstance(image, Pillow.Image):
        return Pillow.fromarray(_restyled_pixels(artifact.network, images.from_pillow(image)))
    return _restyled_pixels(artifact.network, image)


def _restyled_pixels(network: nn.Module, pixels: NDArray[Any]) -> NDArray[Any]:
    if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ShapeError(f"stylize takes arrays of height x width x 3, but got {' x '.join(map(str, pixels.shape))}.")
    if pixels.dtype != np.uint8:
        raise ImageError(f"stylize takes arrays of bytes (uint8), but got {pixels.dtype}; scale to 0..255 and convert.")
    return images.to_uint8(_restyled(network, images.to_tensor(pixels)[None])[0])


def _restyled_tensor(network: nn.Module, image: Tensor) -> Tensor:
    if image.ndim not in (3, 4) or image.shape[-3] != 3 or 0 in image.shape:
        shape = " x ".join(map(str, image.shape))
        raise ShapeError(f"stylize takes tensors of (batch x) 3 x height x width, but got {shape}.")
    if not image.is_floating_point() or not bool((image.abs() <= 1).all()):
        raise ImageError(f"stylize takes float tensors in [-1, 1], but got {_described(image)}; scale it first.")
    batch = image if image.ndim == 4 else image[None]
    return _restyled(network, batch).reshape(image.shape)


def _restyled(network: nn.Module, batch: Image) -> Image:
    """Pad, run and crop a batch, on the network's device; the result is where the batch was."""
    height, width = batch.shape[-2:]
    weight = next(network.parameters())
    with torch.inference_mode():
        padded = images.pad(batch.to(weight), _multiple(network, min(height, width)))
        styled = images.crop(network(padded), height, width).to(batch)
    return styled.clone()


def _multiple(network: nn.Module, side: int) -> int:
    """The multiple that a picture's sides are grown to: the network's own, or more for a tiny picture."""
    multiple = int(network.size_multiple)  # type: ignore[arg-type]
    return multiple if side >= LEAST_SIDE else multiple * -(-LEAST_SIDE // multiple)


def _described(image: Tensor) -> str:
    return f"{str(image.dtype).removeprefix('torch.')} from {image.min().item():g} to {image.max().item():g}"
