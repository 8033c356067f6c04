"""Losses are computed in full precision, whatever the networks ran in."""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_full_precision(loss: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Make a loss ignore autocast and see its half-precision tensors as float32.

    Tensors inside tuples, lists and mappings are widened too; float32 and float64 pass unchanged. Gradients
    arrive in the dtype that the tensors came in. Sums over a Gram matrix or a squared gradient overflow or
    round visibly in 16 bits.
    """

    @wraps(loss)
    def widened(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        device = next(_tensors([*args, *kwargs.values()])).device.type
        with torch.autocast(device, enabled=False):
            return loss(*_widen(args), **_widen(kwargs))

    return widened


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from _tensors(list(value.values()))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _tensors(part)


def _widen(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.float() if value.dtype in (torch.float16, torch.bfloat16) else value
    if isinstance(value, Mapping):
        return {name: _widen(part) for name, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_widen, value))
    if isinstance(value, tuple | list):
        return type(value)(map(_widen, value))
    return value
