"""A trained generator at work on a picture of any size."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps
from torch import Tensor

from ganstyle import images
from ganstyle.artifact import Artifact, Card
from ganstyle.backends.model import Model
from ganstyle.backends.opened import opened
from ganstyle.decode import DEEP_GRAY, is_clear
from ganstyle.errors import ImageError, ShapeError
from ganstyle.stylize.controls import Controls
from ganstyle.stylize.masks import feathered, mask_of
from ganstyle.stylize.memory import memory_of
from ganstyle.stylize.paint import Brush, brush_of, image_painted, pixels_painted

Picture = TypeVar("Picture", Pillow.Image, NDArray[Any], Tensor, list[Pillow.Image], list[NDArray[Any]], list[Tensor])
"""A Pillow picture; RGB of 8 or 16 bits, (batch x) height x width x 3; images in [-1, 1], (batch x) 3 x height x width;
or a list of pictures of one kind, each of its own size."""


@dataclass(frozen=True)
class Stylizer:
    """An artifact or an exported model, ready to restyle pictures."""

    artifact: Artifact | Model
    max_memory: int | str | None = None
    """Bytes, or words such as "400MB", that a picture may take on its way through the network, on top of the program
    and of the picture itself; by default a quarter of what is free. Larger pictures go in strips, exactly."""

    @property
    def card(self) -> Card:
        """What the artifact says of itself."""
        return self.artifact.card

    def stylize(
        self,
        image: Picture,
        *,
        strength: float = 1.0,
        keep_color: str = "off",
        size: float = 1.0,
        seed: int = 0,
        style: int | str | None = None,
        mask: Pillow.Image | NDArray[Any] | Tensor | None = None,
        feather: float = 0.0,
    ) -> Picture:
        """Restyle a picture, or a batch of them; the result has the same size and is of the same kind.

        Args:
            image: what to restyle. A Pillow picture is read as RGB, 8 bits, upright; its transparency stays.
            strength: from 0 (the photograph) over 1 (the network's picture) to 1.5 (as far beyond).
            keep_color: `luminance`, `mkl` or `off`; see Controls.
            size: how large the brush is; at 2, strokes are twice as large.
            seed: of what a network draws.
            style: number or name, where the network has several.
            mask: where to restyle, of the picture's size; white, 1 or True inside. One for all in a batch.
            feather: pixels over which the mask rises, inwards from its edge.

        Raises:
            ControlError: a control that does not fit.
            ShapeError: an array that is not (batch x) height x width x 3, or a tensor that is not (batch x) 3 x
                height x width.
            ImageError: what is no picture, floats where integers belong or the reverse, or values outside [-1, 1]
                in a tensor.
            BudgetError, RoomError: too little memory or disk.
        """
        controls = Controls(strength, keep_color, size, feather, seed, style)
        return self.restyle(image, controls, mask)

    def restyle(
        self, image: Picture, controls: Controls, mask: Pillow.Image | NDArray[Any] | Tensor | None = None
    ) -> Picture:
        """Restyle as `stylize` does, with the controls in one piece."""
        if isinstance(image, list):
            return [self.restyle(one, controls, mask) for one in image]
        memory = memory_of(self.max_memory) if isinstance(self.max_memory, str) else self.max_memory
        brush = brush_of(self.artifact, controls, memory)
        if isinstance(image, Tensor):
            return _restyled_tensor(brush, image, mask)
        if isinstance(image, Pillow.Image):
            return _restyled_pillow(brush, image, mask)
        if not isinstance(image, np.ndarray):
            raise ImageError(
                f"stylize takes Pillow pictures, NumPy arrays, tensors, or a list of them, but got a "
                f"{type(image).__name__}; `ganstyle stylize` takes files."
            )
        return _restyled_pixels(brush, image, mask)


def load(model: Path | str, *, max_memory: int | str | None = None) -> Stylizer:
    """Read an artifact from its folder, or an exported file; raises ArtifactError when it is missing or damaged.

    Raises BackendError for a file whose program is not installed.
    """
    return Stylizer(opened(Path(model)), max_memory)


def stylize(artifact: Artifact | Model, image: Picture) -> Picture:
    """Restyle a picture with the controls as they are by default; see `Stylizer.stylize`."""
    return Stylizer(artifact).stylize(image)


def _restyled_pillow(brush: Brush, image: Pillow.Image, mask: Any) -> Pillow.Image:
    if image.mode in DEEP_GRAY or not is_clear(image):
        return Pillow.fromarray(_restyled_pixels(brush, images.from_pillow(image), mask))
    layers = np.asarray(ImageOps.exif_transpose(image).convert("RGBA"))
    painted = _restyled_pixels(brush, np.ascontiguousarray(layers[..., :3]), mask)
    return Pillow.fromarray(np.dstack([painted, layers[..., 3]]))


def _restyled_pixels(brush: Brush, pixels: NDArray[Any], mask: Any) -> NDArray[Any]:
    if pixels.ndim not in (3, 4) or pixels.shape[-1] != 3 or 0 in pixels.shape:
        shape = " x ".join(map(str, pixels.shape))
        raise ShapeError(f"stylize takes arrays of (batch x) height x width x 3, but got {shape}.")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"stylize takes arrays of bytes (uint8) or uint16, but got {pixels.dtype}; scale and convert.")
    mask = _mask(brush, mask, *pixels.shape[-3:-1])
    batch = pixels if pixels.ndim == 4 else pixels[None]
    return np.stack([pixels_painted(brush, one, mask) for one in batch]).reshape(pixels.shape)


def _restyled_tensor(brush: Brush, image: Tensor, mask: Any) -> Tensor:
    if image.ndim not in (3, 4) or image.shape[-3] != 3 or 0 in image.shape:
        shape = " x ".join(map(str, image.shape))
        raise ShapeError(f"stylize takes tensors of (batch x) 3 x height x width, but got {shape}.")
    if not image.is_floating_point() or not bool((image.abs() <= 1).all()):
        raise ImageError(f"stylize takes float tensors in [-1, 1], but got {_described(image)}; scale it first.")
    mask = _mask(brush, mask, *image.shape[-2:])
    batch = image if image.ndim == 4 else image[None]
    return torch.stack([image_painted(brush, one, mask) for one in batch]).reshape(image.shape)


def _mask(brush: Brush, mask: Any, height: int, width: int) -> NDArray[np.float32] | None:
    return None if mask is None else feathered(mask_of(mask, height, width), brush.controls.feather)


def _described(image: Tensor) -> str:
    return f"{str(image.dtype).removeprefix('torch.')} from {image.min().item():g} to {image.max().item():g}"
