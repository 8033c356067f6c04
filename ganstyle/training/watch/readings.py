"""What one training step shows, as scalars that stay on the device."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ganstyle.types import Batch, Image, Scalar

Reading = dict[str, Tensor]
"""Scalars by name."""
GENERATED = ("fake", "fake_target")
"""What methods call the translation of the source."""


class Seen(NamedTuple):
    """The pictures of a step."""

    source: Image
    target: Image
    generated: Image


def pictures(batch: Batch, outputs: Any) -> Seen | None:
    """Copy the pictures of a step (the next one's may come to the same place).

    None for a method whose outputs call its translation by another name.
    """
    for name in GENERATED:
        if hasattr(outputs, name):
            return Seen(*(image.detach().float().clone() for image in _shown(batch, outputs, name)))
    return None


def _shown(batch: Batch, outputs: Any, name: str) -> tuple[Image, Image, Image]:
    return batch["source"], batch["target"], getattr(outputs, name)


@torch.no_grad()
def read_pictures(seen: Seen) -> Reading:
    """Read the contrast of generated images, their range, and how far they are from their sources."""
    source, target, generated = (_deviation(images) for images in seen)
    return {
        "deviation/source": source,
        "deviation/target": target,
        "deviation/generated": generated,
        "low": seen.generated.amin(),
        "high": seen.generated.amax(),
        "change": (seen.generated - seen.source).abs().mean(),
    }


def _deviation(images: Image) -> Scalar:
    """Return the mean standard deviation of a channel; on a processor torch.std takes ten times as long."""
    squares: Tensor = (images - images.mean((2, 3), keepdim=True)).square()
    return squares.mean((2, 3)).sqrt().mean()


@torch.no_grad()
def read_gradient(player: str, parameters: Sequence[nn.Parameter]) -> Reading:
    """Read the norm of a player's gradient; no gradient counts as zero."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    return {f"gradient/{player}": _norm(gradients) if gradients else torch.zeros((), device=parameters[0].device)}


@torch.no_grad()
def read_weights(player: str, parameters: Sequence[nn.Parameter]) -> Reading:
    """Read the norm of a player's weights."""
    return {f"weight/{player}": _norm([p.detach() for p in parameters])}


def _norm(tensors: list[Tensor]) -> Tensor:
    norms: Tensor = torch.stack(torch._foreach_norm(tensors)).float().norm()
    return norms
