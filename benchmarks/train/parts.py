"""Where the time of a training step goes."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch


def clock() -> float:
    """Wall time once all that was asked for is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


@contextmanager
def timed(places: Sequence[tuple[Any, str, str]]) -> Iterator[Counter[str]]:
    """Add up the seconds that functions take meanwhile; a place is an owner, its function's name, and the part."""
    found = Counter[str]()
    with ExitStack() as stack:
        for owner, name, part in places:
            stack.enter_context(patch.object(owner, name, _timed(getattr(owner, name), found, part)))
        yield found


def split(
    step: Callable[[], object], clocked: AbstractContextManager[Counter[str]], steps: int = 3
) -> dict[str, float]:
    """Say where the time of a step goes, in seconds; what is in none of the parts is the rest."""
    with clocked as found:
        began = clock()
        for _ in range(steps):
            step()
        whole = clock() - began
    parts = {part: round(seconds / steps, 4) for part, seconds in found.items()}
    return parts | {"rest": round((whole - sum(found.values())) / steps, 4), "whole": round(whole / steps, 4)}


def _timed(function: Callable[..., Any], found: Counter[str], part: str) -> Callable[..., Any]:
    def called(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            found[part] += time.perf_counter() - began  # type: ignore[assignment]

    return called
