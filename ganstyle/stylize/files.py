"""A picture file in, a restyled picture file out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganstyle.artifact import Artifact
from ganstyle.stylize.budget import Plan, free_memory
from ganstyle.stylize.colorspace import colorspace
from ganstyle.stylize.controls import Controls
from ganstyle.stylize.encode import encoded
from ganstyle.stylize.engine import Announce, Engine, silent, style_of
from ganstyle.stylize.masks import feathered, mask_of
from ganstyle.stylize.paint import Brush, pixels_painted
from ganstyle.stylize.photograph import Photograph, read
from ganstyle.stylize.recipe import Recipe, versions


@dataclass(frozen=True)
class MaskFile:
    """A mask and where it comes from."""

    values: NDArray[np.integer[Any]]
    sha256: str


def read_mask(path: Path) -> MaskFile:
    """Read a mask from a picture file: its brightness, as far as it is opaque. Raises ImageError."""
    photo = read(path)
    values = photo.pixels.mean(axis=2) / np.iinfo(photo.pixels.dtype).max
    if photo.alpha is not None:
        values = values * (photo.alpha / np.iinfo(photo.alpha.dtype).max)
    return MaskFile(np.rint(values * 65535).astype(np.uint16), photo.sha256)


@dataclass(frozen=True)
class Studio:
    """An artifact and how it is used on every file."""

    artifact: Artifact
    model: str
    """Where the artifact is, as the user wrote it."""
    controls: Controls
    memory: int
    mask: MaskFile | None = None
    announce: Announce = silent

    def restyle(self, photo: Photograph, kind: str) -> bytes:
        """Restyle a photograph and encode it as PNG, JPEG, WEBP or TIFF, its recipe within.

        Raises ShapeError for a mask of another size, and as `Stylizer.stylize` does.
        """
        plans: list[Plan] = []
        brush = self._brush(_heard(self.announce, plans))
        mask = None if self.mask is None else mask_of(self.mask.values, *photo.pixels.shape[:2])
        if mask is not None:
            mask = feathered(mask, self.controls.feather)
        pixels = pixels_painted(brush, photo.pixels, mask, colorspace(photo.profile))
        recipe = self._recipe(photo, any(plan.in_strips for plan in plans))
        return encoded(replace(photo, pixels=pixels), kind, recipe.text())

    def _brush(self, announce: Announce) -> Brush:
        engine = Engine(self.artifact.network, self.memory, announce)
        style = style_of(self.artifact.network, self.artifact.card.styles, self.controls.style)
        return Brush(engine, self.controls, style)

    def _recipe(self, photo: Photograph, in_strips: bool) -> Recipe:
        mask = None if self.mask is None else self.mask.sha256
        weights = self.artifact.card.weights_sha256
        return Recipe(
            photo.sha256, self.model, weights, self.controls, mask, self.memory, in_strips, "torch", versions()
        )


def _heard(announce: Announce, plans: list[Plan]) -> Announce:
    """Note every plan that is announced."""

    def hear(plan: Plan) -> Callable[[float], None]:
        plans.append(plan)
        return announce(plan)

    return hear


def default_memory() -> int:
    """A quarter of the memory that is free, in whole tens of megabytes, so that it is short in a recipe."""
    return max(1, free_memory() // 4 // 10_000_000) * 10_000_000
