"""Ways to average the gradients of several ranks, around one hand-written step of a method.

`python -m benchmarks.train.reductions RECIPE SIZE RANK DEVICE FOLDER` is one rank, pinned to the core or on the GPU of
its number, that answers every line of words (the name of a way) once it has stepped; without FOLDER it is alone in the
world.
"""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from pytorch_lightning.overrides.distributed import prepare_for_backward
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from benchmarks.train.ours import Arm
from benchmarks.train.parts import clock
from benchmarks.train.turns import images
from ganstyle.training.allocator import keep_freed_memory
from ganstyle.training.distributed import averaging
from ganstyle.training.loaders import to_device
from ganstyle.training.passes import parameters_of
from ganstyle.training.weights import weighted_sum
from ganstyle.types import Batch


class Alone:
    """Steps that average nothing."""

    def __init__(self, arm: Arm) -> None:
        self.arm, self.system = arm, arm.game.system

    def step(self, batch: Batch) -> None:
        """Let every player move on one batch."""
        with torch.autocast(self.arm.device, torch.bfloat16, enabled=self.arm.is_half):
            outputs = self.forward(batch)
            for player, optimizer in zip(self.system.players, self.arm.game.optimizers, strict=True):
                for other in self.system.players:
                    other.network.requires_grad_(other is player)
                with self.reducing(parameters_of(optimizer)):
                    self.backward(weighted_sum(player.losses(outputs), self.system.weights[player.name]))
                optimizer.step()
                optimizer.zero_grad()
            self.system.method.requires_grad_(True)

    def forward(self, batch: Batch) -> Any:
        """Run the method."""
        return self.system.method(batch)

    def backward(self, loss: Tensor) -> None:
        """Compute gradients."""
        torch.autograd.backward(loss)

    def reducing(self, parameters: list[nn.Parameter]) -> AbstractContextManager[None]:
        """Surround a player's backward pass with what averages its gradients."""
        return nullcontext()


class Meanwhile(Alone):
    """Messages of the player that moves, the last layers' while the others are computed: ganstyle's way."""

    def reducing(self, parameters: list[nn.Parameter]) -> AbstractContextManager[None]:
        """Send them."""
        return averaging(parameters)


class Flat(Alone):
    """One message with all gradients of the player that moves, after its backward pass."""

    def reducing(self, parameters: list[nn.Parameter]) -> AbstractContextManager[None]:
        """Send it."""
        return averaging(parameters, meanwhile=False, message=sum(p.nbytes for p in parameters))


class FindUnused(Alone):
    """One wrapper around everything that finds out, before each backward pass, what takes no part in it."""

    def __init__(self, arm: Arm) -> None:
        super().__init__(arm)
        self.wrapped = DistributedDataParallel(self.system.method, find_unused_parameters=True, broadcast_buffers=False)

    def forward(self, batch: Batch) -> Any:
        """Run the method through the wrapper, which is not to expect a backward pass yet."""
        with self.wrapped.no_sync():
            return self.wrapped(batch)

    def backward(self, loss: Tensor) -> None:
        """Compute gradients, as Lightning's `ddp_find_unused_parameters_true` does in manual optimization."""
        prepare_for_backward(self.wrapped, loss)
        torch.autograd.backward(loss)


class PerNetwork(Alone):
    """One wrapper for each sub-network, which sends the gradients of its last layers while others are computed."""

    def __init__(self, arm: Arm) -> None:
        super().__init__(arm)
        method: nn.Module = self.system.method
        for owner in (method, *(child for child in method.children() if isinstance(child, nn.ModuleDict))):
            for name, network in list(owner.named_children()):
                if not isinstance(network, nn.ModuleDict):
                    owner.add_module(name, Wrapped(network))


class Wrapped(nn.Module):
    """A network that goes through torch's wrapper where its own gradients are wanted, and else past it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.wrapper = DistributedDataParallel(network, broadcast_buffers=False)

    def forward(self, x: Tensor) -> Any:
        """Run it."""
        wanted = next(self.wrapper.parameters()).requires_grad
        return self.wrapper(x) if wanted else self.wrapper.module(x)


BACKENDS = {"cpu": "gloo", "cuda": "nccl"}
WAYS: Mapping[str, Callable[[Arm], Alone]] = {
    "meanwhile": Meanwhile,
    "flat all-reduce": Flat,
    "a wrapper per network": PerNetwork,
    "find_unused_parameters": FindUnused,
    "apart": Alone,
}
"""`apart` averages nothing: what two processes cost each other without a word."""


def main(recipe: str, size: str, rank: str, device: str, folder: str = "") -> None:
    """Step when told."""
    if device == "cuda":
        torch.cuda.set_device(int(rank))
    else:
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[int(rank)]})
        torch.set_num_threads(1)
        keep_freed_memory()
    if folder:
        dist.init_process_group(BACKENDS[device], init_method=f"file://{folder}/meeting", rank=int(rank), world_size=2)
    own = (f"trainer.accelerator={device}", "trainer.compile=false")
    ways = {name: make for name, make in WAYS.items() if folder or name == "apart"}
    made = {name: make(Arm(recipe, int(size), "auto", own, device=device)) for name, make in ways.items()}
    batch = to_device(images(int(size)), torch.device(device))
    for question in sys.stdin:
        made[question.strip()].step(batch)
        clock()
        print("done", flush=True)
    if folder:
        dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
