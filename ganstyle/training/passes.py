"""How a step's passes reach the device: operation by operation, or as CUDA graphs that are launched whole.

A small network at batch 1 keeps a GPU waiting for Python: a step of pix2pix is some hundred short kernels. A CUDA graph
is recorded once and launched as one piece, with the same kernels on the same addresses every time.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganstyle.methods.base import Player
from ganstyle.training.weights import weighted_sum
from ganstyle.types import Batch, Image, Losses

if TYPE_CHECKING:
    from ganstyle.training.system import System


@runtime_checkable
class Graph(Protocol):
    """Recorded operations: `torch.cuda.CUDAGraph`."""

    def replay(self) -> None:
        """Do them again, on the same memory."""


WARM_UP = 3
"""Steps before recording, in which kernels are compiled and chosen."""


class Passes(Protocol):
    """Runs the forward pass of a step, then the losses and gradients of each player that moves."""

    tells: bool
    """Whether hooks hear of a gradient as soon as it is computed."""

    def around(self) -> AbstractContextManager[None]:
        """Surround a whole step."""

    def forward(self, system: "System", batch: Batch) -> Any:
        """Return what the method makes of a batch."""

    def shown(self, outputs: Any, images: Mapping[str, Image]) -> Any:
        """Put images out of the pools into the outputs."""

    def gradients(self, system: "System", player: Player, optimizer: Optimizer, outputs: Any) -> Losses:
        """Compute a player's losses and leave its gradients with its parameters."""

    def forget(self) -> None:
        """Drop what was recorded: weights, averages or memories may lie elsewhere now."""


class Eager:
    """One operation after the other."""

    tells = True

    def around(self) -> AbstractContextManager[None]:
        """Add nothing."""
        return nullcontext()

    def forward(self, system: "System", batch: Batch) -> Any:
        """Run the method."""
        return system.method(batch)

    def shown(self, outputs: Any, images: Mapping[str, Image]) -> Any:
        """Put images out of the pools into the outputs."""
        return replace(outputs, **images) if images else outputs

    def gradients(self, system: "System", player: Player, optimizer: Optimizer, outputs: Any) -> Losses:
        """Run the player's losses forward and backward."""
        with system.toggled_optimizer(optimizer):
            losses = system._losses(player, outputs)
            system.manual_backward(weighted_sum(losses, system._weights(player)))
        return losses

    def forget(self) -> None:
        """There is nothing to forget."""


@dataclass
class Recorded:
    """The graph of one player's losses and gradients, and where it leaves them."""

    graph: Graph
    names: tuple[str, ...]
    values: Tensor
    gradients: list[tuple[nn.Parameter, Tensor | None]]
    heard: Mapping[str, Sequence[Tensor]]
    """What the watch overheard."""


class Graphs:
    """Records a step's passes as CUDA graphs after a few steps, and launches those from then on.

    One graph for the forward pass, one for each player: between them the host moves images through the pools, reduces
    gradients and lets optimizers step. A batch of another size goes operation by operation, and so does everything as
    long as the method is not `replayable`.
    """

    tells = False

    def __init__(self) -> None:
        self.eager = Eager()
        self.forget()

    def forget(self) -> None:
        """Record anew, after a few steps."""
        self._steps = 0
        self._inputs: dict[str, Tensor] = {}
        self._forward: Graph | None = None
        self._outputs: Any = None
        self._shown: dict[str, Image] = {}
        self._players: dict[str, Recorded] = {}
        self._stream: torch.cuda.Stream | None = None
        self._pool: Any = None
        self._replaying = False

    @contextmanager
    def around(self) -> Iterator[None]:
        """Work on a stream of its own, as recording must; what comes before and after waits for each other."""
        if self._stream is None:
            self._stream, self._pool = torch.cuda.Stream(), torch.cuda.graph_pool_handle()  # type: ignore[no-untyped-call]
        before = torch.cuda.current_stream()
        self._stream.wait_stream(before)
        with torch.cuda.stream(self._stream):
            yield
        before.wait_stream(self._stream)

    def forward(self, system: "System", batch: Batch) -> Any:
        """Launch the forward pass."""
        self._replaying = self._may_replay(system, batch)
        if not self._replaying:
            return self.eager.forward(system, batch)
        images = _images(batch)
        if self._forward is None:
            self._inputs = {name: image.clone() for name, image in images.items()}
            self._forward = torch.cuda.CUDAGraph()
            with self._recording(self._forward):
                self._outputs = system.method({**batch, **self._inputs})
        for name, image in images.items():
            self._inputs[name].copy_(image)
        self._forward.replay()
        return self._outputs

    def _may_replay(self, system: "System", batch: Batch) -> bool:
        self._steps += 1
        if self._forward is not None:
            return {name: image.shape for name, image in _images(batch).items()} == {
                name: image.shape for name, image in self._inputs.items()
            }
        return self._steps > WARM_UP and is_replayable(system)

    def shown(self, outputs: Any, images: Mapping[str, Image]) -> Any:
        """Put images out of the pools where the discriminators' graphs look for them."""
        if not self._replaying or not images:
            return self.eager.shown(outputs, images)
        if not self._shown:
            self._shown = {name: image.detach().clone() for name, image in images.items()}
        for name, image in images.items():
            self._shown[name].copy_(image)
        return replace(outputs, **self._shown)

    def gradients(self, system: "System", player: Player, optimizer: Optimizer, outputs: Any) -> Losses:
        """Launch the player's losses and gradients."""
        if not self._replaying:
            return self.eager.gradients(system, player, optimizer, outputs)
        if player.name not in self._players:
            self._players[player.name] = self._record(system, player, optimizer, outputs)
        recorded = self._players[player.name]
        recorded.graph.replay()
        for parameter, gradient in recorded.gradients:
            parameter.grad = gradient
        system.witness.hear(recorded.heard)
        return dict(zip(recorded.names, recorded.values.clone().unbind(), strict=True))

    def _record(self, system: "System", player: Player, optimizer: Optimizer, outputs: Any) -> Recorded:
        graph = torch.cuda.CUDAGraph()
        parameters = parameters_of(optimizer)
        with system.witness.overhearing() as heard, self._recording(graph):
            losses = self.eager.gradients(system, player, optimizer, outputs)
            values = torch.stack([loss.detach().float() for loss in losses.values()])
        return Recorded(graph, tuple(losses), values, [(p, p.grad) for p in parameters], heard)

    def _recording(self, graph: Graph) -> AbstractContextManager[None]:
        """Record on this step's stream; threads that load pictures may talk to the device meanwhile."""
        where: dict[str, Any] = {"pool": self._pool, "stream": self._stream}
        return torch.cuda.graph(graph, **where, capture_error_mode="thread_local")  # type: ignore[arg-type]


def parameters_of(optimizer: Optimizer) -> list[nn.Parameter]:
    """List what an optimizer moves."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def is_replayable(system: "System") -> bool:
    """Whether every step from now on runs the same kernels on the same shapes: no penalties, no accumulation."""
    return system.accumulate == 1 and system.method.replayable and not any(p.penalties for p in system.players)


def _images(batch: Batch) -> dict[str, Tensor]:
    """Return what lies on the device: all but the seeds, which nothing may read that is recorded."""
    return {name: value for name, value in batch.items() if isinstance(value, Tensor) and name != "seed"}
