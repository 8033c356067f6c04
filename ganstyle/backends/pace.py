"""How fast a model runs on this machine beside another; kept, so that it is measured once."""

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from secrets import token_hex
from typing import Any

from ganstyle.backends.model import threads

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
    path = _folder() / hashlib.sha256(json.dumps([sha256, _versions(backend), machine()]).encode()).hexdigest()
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        gain = measure()
    temporary = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(f"{gain:.4f}", encoding="ascii")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
    return gain


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganstyle" / "paces"


def _versions(backend: str) -> list[str]:
    found = []
    for name in (backend, "torch"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(name)
    return found
