"""What the ranks of one run say to each other: gradients, once a turn, and small facts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor, nn
from torch import distributed as dist
from torch.utils.hooks import RemovableHandle

from ganstyle.training.lifeline import Launcher

TIMEOUT = timedelta(minutes=30)
"""What a rank waits for another: longer than the first one takes to measure quality or to write to a slow disk."""
MESSAGE = 25 * 2**20
"""Bytes of gradients that go out together, as in torch's own wrapper: enough for a link's full pace."""


class TurnwiseDDP(DDPStrategy):
    """Lightning's process group and launcher without torch's gradient hooks.

    The system averages the gradients of the player that steps, once per turn (`averaging`). Torch's own wrapper expects
    one backward per step over all parameters, which a game of two players never does.
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


@contextmanager
def averaging(
    parameters: Sequence[nn.Parameter], *, meanwhile: bool = True, message: int | None = None
) -> Iterator[None]:
    """Replace every gradient by its mean over the ranks when the block ends; a missing gradient counts as zero.

    The block holds the one backward pass that completes them. The last layers' gradients are ready first, and travel
    while the others are computed, `message` (MESSAGE) bytes at a time; with meanwhile=False, for passes that are
    recorded, all travel afterwards.
    """
    if world_size() == 1:
        yield
        return
    messages = _Messages(_pieces(parameters, message or MESSAGE))
    hooks = [_hook(p, messages.ready) for p in parameters if meanwhile]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
    messages.finish()


class _Messages:
    """Gradients on their way, in an order that is the same on every rank, whatever each is done with first."""

    def __init__(self, pieces: Iterable[list[nn.Parameter]]) -> None:
        self._pieces = list(pieces)
        self._number = {id(p): number for number, piece in enumerate(self._pieces) for p in piece}
        self._missing = [len(piece) for piece in self._pieces]
        self._sent: list[tuple[Tensor, Any]] = []

    def ready(self, parameter: nn.Parameter) -> None:
        """Send what is complete."""
        self._missing[self._number[id(parameter)]] -= 1
        while len(self._sent) < len(self._pieces) and not self._missing[len(self._sent)]:
            self._send()

    def finish(self) -> None:
        """Send the rest, and put the means into place."""
        while len(self._sent) < len(self._pieces):
            self._send()
        for parameters, (flat, work) in zip(self._pieces, self._sent, strict=True):
            work.wait()
            flat /= world_size()
            for parameter, mean in zip(parameters, torch.split(flat, [p.numel() for p in parameters]), strict=True):
                parameter.grad = mean.view_as(parameter)

    def _send(self) -> None:
        flat = torch.cat([_gradient(p).reshape(-1) for p in self._pieces[len(self._sent)]])
        self._sent.append((flat, dist.all_reduce(flat, async_op=True)))


def _pieces(parameters: Sequence[nn.Parameter], size: int) -> Iterator[list[nn.Parameter]]:
    """Cut parameters into messages of at most so many bytes, or of one parameter, the last first."""
    piece, room = list[nn.Parameter](), size
    for parameter in reversed(parameters):
        if piece and parameter.nbytes > room:
            yield piece
            piece, room = [], size
        piece.append(parameter)
        room -= parameter.nbytes
    yield piece


def _hook(parameter: nn.Parameter, call: Callable[[nn.Parameter], None]) -> RemovableHandle:
    """Have a function called when a parameter's gradient is complete."""
    handle: RemovableHandle = parameter.register_post_accumulate_grad_hook(call)  # type: ignore[no-untyped-call]
    return handle


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
