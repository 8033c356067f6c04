"""A picture file in, a restyled picture file out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ganstyle.backends.model import Model, style_count, style_number
from ganstyle.card import Card
from ganstyle.decode import Integers
from ganstyle.stylize.colorspace import colorspace
from ganstyle.stylize.controls import Controls
from ganstyle.stylize.direct import is_direct, pixels_directly
from ganstyle.stylize.encode import encoded
from ganstyle.stylize.memory import Announce, BudgetError, Plan, require_whole, silent
from ganstyle.stylize.photograph import Photograph, colored, read
from ganstyle.stylize.recipe import Recipe, versions


@dataclass(frozen=True)
class MaskFile:
    """A mask and where it comes from."""

    values: NDArray[np.integer[Any]]
    sha256: str


def read_mask(path: Path) -> MaskFile:
    """Read a mask from a picture file: its brightness, as far as it is opaque. Raises ImageError."""
    from ganstyle.stylize.masks import brightness

    photo = read(path)
    return MaskFile(np.rint(brightness(photo.pixels, photo.alpha) * 65535).astype(np.uint16), photo.sha256)


@runtime_checkable
class Painter(Protocol):
    """An artifact, or an exported model."""

    @property
    def card(self) -> Card:
        """What it says of itself."""


class Restyled(NamedTuple):
    """A photograph in its new manner, and how it came to it."""

    photo: Photograph
    recipe: str


@dataclass(frozen=True)
class Studio:
    """A model and how it is used on every file."""

    painter: Painter
    model: str
    """Where the model is, as the user wrote it or as it was chosen."""
    controls: Controls
    memory: int
    mask: MaskFile | None = None
    announce: Announce = silent
    ended: Callable[[], None] = lambda: None
    """Is called when a picture is done, or has failed."""
    instead: Callable[[str], "Studio"] | None = None
    """Is told, in a sentence, why an exported model cannot paint a picture, and says who paints it."""

    def restyle(self, photo: Photograph, kind: str) -> bytes:
        """Restyle a photograph and encode it as PNG, JPEG, WEBP or TIFF, its recipe within.

        Raises what `restyled` does, and ImageError when the encoder refuses.
        """
        restyled = self.restyled(photo)
        return encoded(restyled.photo, kind, restyled.recipe)

    def restyled(self, photo: Photograph) -> Restyled:
        """Restyle a photograph.

        Raises ShapeError for a mask of another size, BudgetError for a picture that is too large for an exported model
        where nobody is there instead, and as `Stylizer.stylize` does.
        """
        try:
            if isinstance(self.painter, Model) and self.controls.strength > 0:
                height, width = photo.pixels.shape[:2]
                require_whole(self.painter, *self.controls.sides(height, width), self.memory)
        except BudgetError as error:
            if self.instead is None:
                raise
            return self.instead(str(error)).restyled(photo)
        plans: list[Plan] = []
        if self.controls.strength > 0:
            photo = colored(photo)
        try:
            pixels = self._pixels(photo, _heard(self.announce, plans))
        finally:
            self.ended()
        recipe = self._recipe(photo, any(plan.in_strips for plan in plans))
        return Restyled(replace(photo, pixels=pixels), recipe.text())

    def _pixels(self, photo: Photograph, announce: Announce) -> Integers:
        space = colorspace(photo.profile)
        if isinstance(self.painter, Model) and self.mask is None and is_direct(self.controls):
            style = style_number(style_count(self.painter.card), self.painter.card.styles, self.controls.style)
            untouched = self.controls.strength == 0
            return photo.pixels.copy() if untouched else pixels_directly(self.painter, photo.pixels, style, space)
        from ganstyle.stylize.masks import feathered, mask_of
        from ganstyle.stylize.paint import brush_of, pixels_painted

        mask = None if self.mask is None else mask_of(self.mask.values, *photo.pixels.shape[:2])
        if mask is not None:
            mask = feathered(mask, self.controls.feather)
        brush = brush_of(self.painter, self.controls, self.memory, announce)
        return pixels_painted(brush, photo.pixels, mask, space)

    def _recipe(self, photo: Photograph, in_strips: bool) -> Recipe:
        mask = None if self.mask is None else self.mask.sha256
        backend = backend_of(self.painter)
        return Recipe(
            photo.sha256,
            self.model,
            sha256_of(self.painter),
            self.controls,
            mask,
            self.memory,
            in_strips,
            backend,
            versions(backend),
        )


def backend_of(painter: Painter) -> str:
    """Say what does the arithmetic."""
    return painter.backend if isinstance(painter, Model) else "torch"


def sha256_of(painter: Painter) -> str:
    """What a recipe knows a model by: an artifact's weights, or an exported file."""
    return painter.sha256 if isinstance(painter, Model) else painter.card.weights_sha256


def _heard(announce: Announce, plans: list[Plan]) -> Announce:
    """Note every plan that is announced."""

    def hear(plan: Plan) -> Callable[[float], None]:
        plans.append(plan)
        return announce(plan)

    return hear
