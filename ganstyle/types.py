"""The words everything is written in.

An image in memory is a float tensor, batch x 3 x height x width, RGB in [-1, 1], always.
"""

from collections.abc import Mapping
from typing import NamedTuple, NotRequired, TypeAlias, TypedDict

from jaxtyping import Float, Int
from torch import Tensor

Image: TypeAlias = Float[Tensor, "batch 3 height width"]
Scalar: TypeAlias = Float[Tensor, ""]
Seeds: TypeAlias = Int[Tensor, " batch"]

Features: TypeAlias = Mapping[str, Tensor]
"""Activations by layer name, each batch x channels x rows x columns."""

Losses: TypeAlias = dict[str, Tensor]
"""Unweighted scalar terms of one player's objective, by name."""


class Batch(TypedDict):
    """What a method sees in one step."""

    source: Image
    target: Image
    seed: Seeds
    """A number of its own for every image seen in the run; whatever is drawn for that image derives from it."""
    truth: NotRequired[Image]
    """The known answer for the source, where the data set has one (validation and test of toy problems)."""


class Judgement(NamedTuple):
    """What one discriminator says of a batch at one scale."""

    logits: Tensor
    """batch x 1 x rows x columns; large means real."""
    features: tuple[Tensor, ...]
    """Activations before the logits, shallow to deep, for feature matching."""
