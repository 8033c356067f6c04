"""An exported model, ready to run."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from ganstyle.backends.label import Label
from ganstyle.backends.padding import grown, grown_sides
from ganstyle.card import Card
from ganstyle.errors import GanstyleError, ShapeError

Images = Float32[ndarray, "batch 3 height width"]
"""Images in [-1, 1]."""
Mixtures = Float32[ndarray, "batch styles"]
"""The weight of every style in each image."""
Compute = Callable[[Images, Mixtures | None], Images]


class BackendError(GanstyleError):
    """A backend that is not there, or cannot do what is asked of it."""


@dataclass(frozen=True)
class Model:
    """An exported file and the program that runs it."""

    label: Label
    backend: str
    """`onnxruntime`, `openvino` or `torch`."""
    path: Path
    sha256: str
    """Of the file; with OpenVINO, of both."""
    compute: Compute
    """Sides must be multiples of the card's `size_multiple`."""

    @property
    def card(self) -> Card:
        """That of the artifact it was made of."""
        return self.label.card

    def restyle(self, image: Float32[ndarray, "3 height width"], style: int | None = None) -> ndarray:
        """Return the network's picture of an image in [-1, 1], in its size."""
        _, height, width = image.shape
        whole = np.ascontiguousarray(grown(image, self.card.size_multiple)[None])
        mixture = None if style is None else one_style(style, style_count(self.card))
        picture: ndarray = self.compute(whole, mixture)[0, :, :height, :width]
        return picture

    def memory(self, height: int, width: int) -> float:
        """Estimate how many bytes a picture takes on its way through."""
        rows, columns = grown_sides(height, width, self.card.size_multiple)
        return rows * columns * self.label.bytes_per_pixel


def style_count(card: Card) -> int:
    """Say how many styles a network mixes; 0 for one that is fixed."""
    return int(card.arguments.get("styles", 0))


def style_number(count: int, names: tuple[str, ...], style: int | str | None) -> int | None:
    """Find a style by its number or its name. Raises ShapeError, in one sentence, for one that is not there."""
    if count == 0 and style is None:
        return None
    known = [*map(str, range(count)), *names[:count]] if count else []
    if str(style) not in known:
        there = f"one of {', '.join(known)}" if count else "no style: this artifact has one"
        raise ShapeError(f"the style is {style}, but it is {there}.")
    return known.index(str(style)) % count


def one_style(number: int, count: int) -> Mixtures:
    """Mix nothing but one style."""
    return np.eye(count, dtype=np.float32)[[number]]


def threads() -> int:
    """How many threads to compute with: OMP_NUM_THREADS where it is set, else as many as there are processors."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    available = getattr(os, "sched_getaffinity", None)
    return int(told) if told.isdecimal() and int(told) else len(available(0)) if available else os.cpu_count() or 1


def missing_package(package: str, extra: str) -> BackendError:
    """Say how a backend that is not installed is."""
    return BackendError(f"{package} is not installed; `pip install 'ganstyle[{extra}]'` brings it.")
