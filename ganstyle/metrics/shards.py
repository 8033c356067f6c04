"""Sharing the sources out among processes: whole chunks, none twice, put together in order."""

from collections.abc import Sequence
from typing import TypeVar

from torch import distributed

CHUNK = 8
"""Sources that are worked on together; the same ones whoever does it, so that the numbers do not depend on it."""
Part = TypeVar("Part")


def chunks(count: int) -> list[range]:
    """Divide the numbers below `count` into consecutive runs of `CHUNK`, the last one perhaps shorter."""
    return [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]


def mine(parts: Sequence[Part]) -> list[Part]:
    """Take this process's share: every n-th of the parts, for n processes."""
    return list(parts[rank() :: _processes()])


def together(share: Sequence[Part]) -> list[Part] | None:
    """Bring the shares of all processes to the first one, in the order before they were divided; None elsewhere."""
    if _processes() == 1:
        return list(share)
    shares: list[Sequence[Part]] | None = [[]] * _processes() if rank() == 0 else None
    distributed.gather_object(share, shares)
    if shares is None:
        return None
    longest = max(map(len, shares))
    return [part[turn] for turn in range(longest) for part in shares if turn < len(part)]


def rank() -> int:
    """Return the number of this process, 0 where there is only one."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def _processes() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1
