"""Try whether PyTorch compiles a network in time: `python -m benchmarks.inference.compiling FOLDER WAY SIDE`.

A process of its own, which can be ended; what it compiled is kept on disk, so that the next process finds it.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.inference.arms import COMPILED
from ganstyle import artifact

LIMIT = 300
"""Seconds that compiling for one size may take, PyTorch's import included."""


def seconds(folder: Path, way: str, side: int) -> float | None:
    """How long compiling and the first picture took; nothing where it was over the limit."""
    command = [sys.executable, "-m", "benchmarks.inference.compiling", str(folder), way, str(side)]
    began = time.perf_counter()
    try:
        subprocess.run(command, check=True, timeout=LIMIT, capture_output=True)
    except subprocess.TimeoutExpired:
        return None
    return round(time.perf_counter() - began, 1)


def main(folder: str, way: str, side: str) -> None:
    """Paint one picture."""
    COMPILED[way](artifact.load(Path(folder)).network)(np.zeros((1, 3, int(side), int(side)), np.float32))


if __name__ == "__main__":
    main(*sys.argv[1:])
