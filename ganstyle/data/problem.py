"""What a data set hands to training: endless examples to learn from, finite ones to be judged by."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, Protocol, TypeAlias, TypedDict, cast, runtime_checkable

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from ganstyle.images import in_range

Picture: TypeAlias = Float[Tensor, "3 height width"] | UInt8[Tensor, "3 height width"]
"""One image without the batch axis, RGB in [-1, 1]; in bytes only where `InBytes` says so."""


class Example(TypedDict):
    """A `Batch` of one, without the batch axis."""

    source: Picture
    target: Picture
    seed: Int[Tensor, ""]
    """A number of its own for every image seen in the run."""
    truth: NotRequired[Picture]
    """The known answer for the source, where there is one."""


@runtime_checkable
class Examples(Protocol):
    """A map-style data set."""

    def __len__(self) -> int:
        """Count the images of one epoch."""

    def __getitem__(self, number: int) -> Example:
        """Return an example; the same one, to the bit, whenever and wherever it is asked for."""


@runtime_checkable
class InBytes(Protocol):
    """Examples that can be had as bytes, a quarter of what they are in [-1, 1], to be moved first and scaled then."""

    def in_bytes(self, number: int) -> Example:
        """Return an example whose pictures are RGB bytes, channels first."""


@runtime_checkable
class Forgiving(Protocol):
    """Examples that leave out pictures which can no longer be read."""

    def write_down(self, file: Path, part: str) -> None:
        """Count what is left out in a file that all processes of a run share, under a name that begins with `part`."""


def scaled(example: Example) -> Example:
    """Bring the pictures of an example, or of a batch, from bytes to [-1, 1]; what is no bytes stays."""
    moved = {key: in_range(value) if value.dtype == torch.uint8 else value for key, value in example.items()}  # type: ignore[attr-defined,arg-type]
    return cast(Example, moved)


@dataclass(frozen=True)
class Problem:
    """A translation to be learned: from source pictures to target pictures."""

    train: Examples
    """`train[n]`, for any n >= 0, is image number n of the run: epoch after epoch, each shuffled anew, augmented."""
    val: Examples
    """Finite, in a fixed order, not augmented: looked at during training."""
    test: Examples
    """The same, never looked at during training; equals `val` where a collection has one held-out folder only."""
    card: dict[str, Any]
    """Plain values for the artifact's card: name, counts, content hash, licence, known_answer."""
    paired: bool = False
    """Whether source and target of an example show the same."""

    def write_down(self, file: Path) -> None:
        """Count the pictures that are left out in a file which all processes of a run share."""
        for part, examples in (("train", self.train), ("val", self.val), ("test", self.test)):
            if isinstance(examples, Forgiving):
                examples.write_down(file, part)
