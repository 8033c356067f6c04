"""How much memory a picture may take, and how it will go through a network with that."""

import ctypes
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ganstyle.backends.model import Model
from ganstyle.errors import GanstyleError

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
SHARE = 4
"""Without a word from the user, one part in so many of the free memory is taken."""
MEMINFO, GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
"""Where Linux says what memory is free, and what this process's control group may take."""


class BudgetError(GanstyleError):
    """A memory budget that cannot be understood or kept."""


class Window(NamedTuple):
    """How a picture is divided for a network that looks no farther than some pixels."""

    side: int
    """Pixels of the result along a window."""
    reach: int
    """Pixels around it that the network must see."""

    @property
    def growth(self) -> float:
        """How many times as much is computed as for the whole."""
        return (1 + 2 * self.reach / self.side) ** 2


@dataclass(frozen=True)
class Plan:
    """How one picture will go through a network."""

    in_strips: bool
    memory: int
    """Bytes that may be taken."""
    disk: int
    """Bytes of temporary files, at most at once."""
    products: float
    """Multiplications in all."""
    strip: int
    """Bytes for computing one strip; the rest holds maps."""
    window: Window | None = None
    """Where windows go through all layers at once; else each layer is computed by itself."""


Announce = Callable[[Plan], Callable[[float], None]]
"""Is told the plan before it starts, and returns what is to be told of the multiplications that are done."""


def silent(_: Plan) -> Callable[[float], None]:
    """Tell nobody."""
    return lambda products: None


def memory_of(text: str) -> int:
    """Understand "400MB", "1.5 GB" or "2e9": bytes, by powers of ten. Raises BudgetError."""
    match = re.fullmatch(r"\s*([\d.]+(?:e\d+)?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    try:
        size = float(match[1]) * UNITS[match[2].upper()] if match else 0.0
    except ValueError:
        size = 0.0
    if size < 1:
        raise BudgetError(f"{text!r} is not an amount of memory; write it as 400MB or 2GB.")
    return int(size)


def free_memory() -> int:
    """Bytes that are free for this process: on the machine, and within its control group where there is one."""
    limits = [_available(), *_allowance(GROUP)]
    return max(0, min(limits))


def _available() -> int:
    try:
        text = MEMINFO.read_text(encoding="ascii")
        return int(text.split("MemAvailable:")[1].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _allowance(group: Path) -> list[int]:
    """What a control group leaves, if it sets a limit; what it keeps of files is given up when asked for."""
    try:
        most, taken = ((group / name).read_text(encoding="ascii") for name in ("memory.max", "memory.current"))
        return [int(most) - int(taken) + _kept_of_files(group)]
    except (OSError, ValueError):
        return []


def _kept_of_files(group: Path) -> int:
    try:
        rows = [line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines()]
    except OSError:
        return 0
    return sum(int(size) for name, size in rows if name in ("active_file", "inactive_file"))


def default_memory() -> int:
    """A quarter of the memory that is free, in whole tens of megabytes, so that it is short in a recipe."""
    return max(1, free_memory() // SHARE // 10_000_000) * 10_000_000


def give_back() -> None:
    """Have the C library hand what it keeps of freed memory back to the system, where it can (glibc).

    Between large pieces that come and go it would otherwise keep several times what is in use.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return found


def require_whole(model: Model, height: int, width: int, memory: int) -> None:
    """Raise BudgetError for a picture that an exported model, which works on wholes, cannot paint in so many bytes."""
    if (takes := model.memory(height, width)) > memory:
        raise BudgetError(
            f"{width} x {height} pixels take about {takes / 1e6:.0f} MB on {model.backend}, which paints pictures as a "
            f"whole, but --max-memory (by default a quarter of what is free) is {memory / 1e6:.0f} MB; raise it, or "
            f"have the artifact's folder as --model and --backend torch, which works in strips."
        )
