"""Exponential moving average of generators, with a half-life in images."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

RAMP = 0.05
"""Early on the half-life is at most this share of the images seen (Karras et al. 2020, `ema_rampup`)."""


def decay(images: int, seen: int, half_life: float) -> float:
    """How much of the average survives a batch of `images` after `seen` images of training.

    Source: Karras et al. 2020 (StyleGAN2), 0.5 ** (batch / half-life), with the half-life ramped up.
    """
    effective = min(half_life, RAMP * seen)
    if effective <= 0:
        return 0.0
    return float(0.5 ** (images / effective))


@torch.no_grad()
def update(average: nn.Module, live: nn.Module, keep: float) -> None:
    """Move the averaged parameters towards the live ones, and copy the buffers.

    average <- keep * average + (1 - keep) * live
    """
    averaged: list[Tensor] = list(average.parameters())
    torch._foreach_lerp_(averaged, [p.detach() for p in live.parameters()], 1.0 - keep)
    for old, new in zip(average.buffers(), live.buffers(), strict=True):
        old.copy_(new)


@contextmanager
def swapped(first: nn.Module, second: nn.Module) -> Iterator[None]:
    """Exchange the values of two equal networks for a while."""
    _swap(first, second)
    try:
        yield
    finally:
        _swap(first, second)


def _swap(first: nn.Module, second: nn.Module) -> None:
    for a, b in zip(_tensors(first), _tensors(second), strict=True):
        a.data, b.data = b.data, a.data


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    yield from module.parameters()
    yield from module.buffers()
