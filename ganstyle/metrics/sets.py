"""The two sets that an evaluation compares: photographs to restyle, and pictures in the style to reach.

Everything is judged as 8-bit pictures of one square size, so that a model and the files it wrote get the same numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int, UInt8
from numpy import ndarray
from torch import Tensor

from ganstyle.errors import DataError
from ganstyle.images import Pixels, jpeg_quality, read, resize, to_uint8
from ganstyle.metrics.protocol import ENOUGH
from ganstyle.types import Image

Bytes = UInt8[Tensor, "_ 3 size size"]
"""8-bit pictures, channels first."""
RESIZE = "short side by area (bicubic when growing), middle square"
SCALES = (1, 2, 3, 4)
"""Sides of the windows cut from a few large paintings, as multiples of the size that is judged."""


@dataclass(frozen=True)
class Sources:
    """Photographs to restyle, and the known answers where there are any."""

    name: str
    """Data set and split, as the protocol names them."""
    stems: tuple[str, ...]
    """File names without suffix; results are matched by them."""
    pictures: Bytes
    truth: Bytes | None = None
    paired: bool = False
    """The truths are targets of paired data, not the answers of a problem that is learned without pairs."""

    def __len__(self) -> int:
        """Count the photographs."""
        return len(self.stems)

    def only(self, places: Sequence[int]) -> "Sources":
        """Keep some of the photographs."""
        truth = None if self.truth is None else self.truth[list(places)]
        stems = tuple(self.stems[place] for place in places)
        return Sources(self.name, stems, self.pictures[list(places)], truth, self.paired)


@dataclass(frozen=True)
class References:
    """Windows of the pictures whose style is to be reached."""

    name: str
    crops: Bytes
    painting: Int[Tensor, " crops"]
    """The number of the picture that each window was cut from."""
    qualities: tuple[int, ...] = ()
    """With which the pictures' files were saved as JPEG, as far as they were, each once."""

    @property
    def paintings(self) -> int:
        """How many pictures the windows come from."""
        return len(torch.unique(self.painting))

    @cached_property
    def sha256(self) -> str:
        """Hash of the windows' pixels and of the pictures that they belong to."""
        digest = sha256(repr(tuple(self.crops.shape)).encode())
        digest.update(self.crops.numpy().tobytes())
        digest.update(self.painting.to(torch.int64).numpy().tobytes())
        return digest.hexdigest()


def as_images(pictures: UInt8[Tensor, "batch 3 height width"]) -> Image:
    """Turn 8-bit pictures into images in [-1, 1]."""
    return pictures.float() / 127.5 - 1.0


def as_bytes(image: Image) -> UInt8[Tensor, "batch 3 height width"]:
    """Round images to the 8-bit pictures that a file would hold; values outside [-1, 1] are clipped."""
    return torch.from_numpy(to_uint8(image)).movedim(-1, -3).contiguous()


def square(pixels: Pixels, size: int) -> UInt8[ndarray, "{size} {size} 3"]:
    """Show a picture as it is judged: the short side brought to `size`, and the middle of it."""
    height, width = pixels.shape[:2]
    scale = size / min(height, width)
    tall, wide = max(size, round(height * scale)), max(size, round(width * scale))
    whole = pixels if (tall, wide) == (height, width) else resize(pixels, tall, wide)
    top, left = (tall - size) // 2, (wide - size) // 2
    return whole[top : top + size, left : left + size]


def windows(pixels: Pixels, size: int, scales: Sequence[int] = SCALES) -> list[Pixels]:
    """Cut a large picture into squares of several scales, each brought to `size`.

    At every scale the windows lie on a lattice from border to border, next to each other or overlapping by less than
    half. A picture smaller than a window of scale 1 gives its middle square.
    """
    short = min(pixels.shape[:2])
    sides = sorted({side for scale in scales if (side := scale * size) <= short})
    found = [_window(pixels, top, left, side, size) for side in sides for top, left in _lattice(pixels, side)]
    return found or [square(pixels, size)]


def _lattice(pixels: Pixels, side: int) -> list[tuple[int, int]]:
    rows, columns = (_spread(length, side) for length in pixels.shape[:2])
    return [(top, left) for top in rows for left in columns]


def _spread(length: int, side: int) -> list[int]:
    """Starts of as many windows as fit next to each other (one more where half a window is left over)."""
    count = max(1, round(length / side))
    free = length - side
    return [free // 2] if count == 1 else [round(place * free / (count - 1)) for place in range(count)]


def _window(pixels: Pixels, top: int, left: int, side: int, size: int) -> Pixels:
    part = np.ascontiguousarray(pixels[top : top + side, left : left + side])
    return part if side == size else resize(part, size, size)


def stacked(pictures: Sequence[Pixels]) -> Bytes:
    """Turn decoded squares into 8-bit pictures, channels first."""
    return torch.from_numpy(np.stack(pictures)).movedim(-1, -3).contiguous()


def references_of(name: str, pictures: Sequence[Pixels], size: int) -> References:
    """Make references of decoded pictures: each as a whole, or as windows where there are fewer than `ENOUGH`."""
    cut = [windows(pixels, size) if len(pictures) < ENOUGH else [square(pixels, size)] for pixels in pictures]
    numbers = [number for number, parts in enumerate(cut) for _ in parts]
    return References(name, stacked([part for parts in cut for part in parts]), torch.tensor(numbers))


def read_references(name: str, paths: Sequence[Path], size: int) -> References:
    """Make references of picture files; see `references_of`. Raises ImageError for a file that cannot be read."""
    qualities = {quality for path in paths if (quality := jpeg_quality(path)) is not None}
    return replace(references_of(name, [read(path) for path in paths], size), qualities=tuple(sorted(qualities)))


def read_sources(name: str, paths: Sequence[Path], size: int) -> Sources:
    """Read photographs as they are judged; raises ImageError, and DataError for two files of the same stem."""
    stems = tuple(path.stem for path in paths)
    if twice := next((stem for place, stem in enumerate(stems) if stem in stems[:place]), None):
        raise DataError(f"two photographs are called {twice}, so that results cannot be matched; rename one.")
    return Sources(name, stems, stacked([square(read(path), size) for path in paths]))
