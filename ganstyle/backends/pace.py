"""How fast a model runs on this machine beside another; kept, so that it is measured once."""

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganstyle.backends.installed import installed_version
from ganstyle.backends.model import threads
from ganstyle.beside import beside

RUNS = 5
"""How often each way is timed."""


def least_milliseconds(ways: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Time several ways in turns; the least of each, since what else runs here only adds."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            taken[name].append(1000 * (time.perf_counter() - start))
    return {name: round(min(times), 2) for name, times in taken.items()}


def processor() -> str:
    """Name this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return name


def machine() -> dict[str, Any]:
    """What a pace depends on, beside the model."""
    return {"processor": processor(), "threads": threads()}


def cached(sha256: str, backend: str, measure: Callable[[], float]) -> float:
    """Return how many times as fast as PyTorch a file is here, measured when there is no figure of this machine yet.

    Figures are files in `$XDG_CACHE_HOME/ganstyle/paces`; where that cannot be written to, each call measures.
    """
    programs = [f"{name} {installed_version(name)}" for name in (backend, "torch")]
    known = [sha256, "compared", programs, machine()]  # figures of before exports were compared, too, are not taken
    path = _folder() / hashlib.sha256(json.dumps(known).encode()).hexdigest()
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        gain = measure()
    with suppress(OSError), beside(path) as temporary:
        temporary.write_text(f"{gain:.4f}", encoding="ascii")
        temporary.replace(path)
    return gain


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganstyle" / "paces"
