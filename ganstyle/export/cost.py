"""What an exported file takes, measured: memory for every pixel, and time beside the artifact's."""

import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ganstyle.artifact import Artifact
from ganstyle.backends.model import Compute, threads
from ganstyle.export.errors import ExportError
from ganstyle.export.pictures import drawn
from ganstyle.export.portable import even_mixture, reference, side_of

TIMED, RUNS = 256, 5
"""Pixels: the side of the picture that is timed; and how often each way paints it, in turns."""
MEASURED = (256, 768)
"""Pixels: the sides of the pictures between which memory is measured."""


def bytes_per_pixel(path: Path, artifact: Artifact) -> float:
    """Measure how much more memory a large picture takes than a small one, in processes of their own."""
    small, large = (side_of(artifact.network, side) for side in MEASURED)
    large = max(large, 2 * small)
    difference = _peak(path, large) - _peak(path, small)
    return round(max(1.0, difference / (large**2 - small**2)), 1)


def _peak(path: Path, side: int) -> int:
    """Bytes that a process held at most while it painted one picture."""
    command = [sys.executable, "-m", "ganstyle.backends.peak", str(path), str(side)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONWARNINGS": "ignore"})
    if done.returncode:
        raise ExportError(f"{path.name} could not be run in a process of its own: {done.stderr.strip()[-300:]}")
    return int(done.stdout)


def speed(artifact: Artifact, compute: Compute) -> dict[str, Any]:
    """Time one small picture both ways, in turns."""
    side = side_of(artifact.network, TIMED)
    image, mixture = drawn(side, side, 0), even_mixture(artifact, 1)
    ways = {"milliseconds": compute, "torch_milliseconds": lambda *given: reference(artifact, *given)}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, way in ways.items():
            start = time.perf_counter()
            way(image, mixture)
            taken[name].append(1000 * (time.perf_counter() - start))
    found = {name: round(min(times), 2) for name, times in taken.items()}  # what else runs here only adds
    return {"side": side, **found, "processor": processor(), "threads": threads()}


def processor() -> str:
    """Name this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return name
