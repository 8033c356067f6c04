"""A stand-in for CUDA graphs on a processor: operations are taken down, and done again on the same memory."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

READS = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)
"""Operations that hand a value to the host, which no graph can."""


class Tape(TorchDispatchMode):
    """What `torch.cuda.CUDAGraph` is to a device: whatever runs while it is recorded, to be run again.

    A device only takes orders down while they are recorded, and this runs them, too: so the first replay does nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[tuple[Any, Any, Any, list[torch.Tensor]]] = []
        self.is_fresh = True

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in READS:
            raise RuntimeError(f"{func} waits for the device, which cannot be recorded")
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        self.orders.append((func, args, kwargs, _tensors(result)))
        return result

    @torch.no_grad()
    def replay(self) -> None:
        if not self.is_fresh:
            for func, args, kwargs, results in self.orders:
                for old, new in zip(results, _tensors(func(*args, **kwargs)), strict=True):
                    if old.data_ptr() != new.data_ptr():
                        old.copy_(new)
        self.is_fresh = False


class Stream:
    def wait_stream(self, other: object) -> None:
        """There is one order only."""


@contextmanager
def recorded(graph: Tape, **_: object) -> Iterator[None]:
    with graph:
        yield


def instead_of_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put tapes in the place of CUDA graphs."""
    for name, stand_in in {
        "CUDAGraph": Tape,
        "graph": recorded,
        "Stream": Stream,
        "current_stream": Stream,
        "stream": lambda stream: nullcontext(),
        "graph_pool_handle": lambda: None,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)


def _tensors(result: Any) -> list[torch.Tensor]:
    return [leaf for leaf in pytree.tree_leaves(result) if isinstance(leaf, torch.Tensor)]
