"""What the ranks of one run say to each other: gradients, once a turn, and small facts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import torch
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor, nn
from torch import distributed as dist

from ganstyle.training.lifeline import Launcher

TIMEOUT = timedelta(minutes=30)
"""What a rank waits for another: longer than the first one takes to measure quality or to write to a slow disk."""


class TurnwiseDDP(DDPStrategy):
    """Lightning's process group and launcher without torch's gradient hooks.

    The system reduces the gradients of the player that steps, once per turn, in one message. Torch's own wrapper
    expects one backward per step over all parameters, which a game of two players never does.
    """

    strategy_name = "turnwise_ddp"

    def __init__(self) -> None:
        super().__init__(timeout=TIMEOUT)

    def _configure_launcher(self) -> None:
        assert self.cluster_environment is not None
        self._launcher = Launcher(self.cluster_environment, self.num_processes, self.num_nodes)

    def configure_ddp(self) -> None:
        """Leave the model unwrapped."""

    def _setup_model(self, model: nn.Module) -> nn.Module:  # type: ignore[override]
        return model


def world_size() -> int:
    """Return how many ranks train together (1 without a process group)."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Return the number of this rank."""
    return dist.get_rank() if dist.is_initialized() else 0


def average_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the ranks, in one message; a missing gradient counts as zero."""
    if world_size() == 1:
        return
    flat = torch.cat([_gradient(p).reshape(-1) for p in parameters])
    dist.all_reduce(flat)
    flat /= world_size()
    for parameter, mean in zip(parameters, torch.split(flat, [p.numel() for p in parameters]), strict=True):
        parameter.grad = mean.view_as(parameter)


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def sum_over_ranks(values: Tensor) -> Tensor:
    """Add a small tensor up over the ranks."""
    if world_size() > 1:
        dist.all_reduce(values)
    return values


def gather(fact: Any) -> list[Any]:
    """Bring one picklable fact of every rank to every rank, in the order of ranks."""
    if world_size() == 1:
        return [fact]
    facts: list[Any] = [None] * world_size()
    dist.all_gather_object(facts, fact)
    return facts


def barrier() -> None:
    """Wait until every rank is here."""
    if world_size() > 1:
        dist.barrier()
