"""What an exported file takes, measured: memory for every pixel, and time beside the artifact's."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from ganstyle.artifact import Artifact
from ganstyle.backends.likeness import drawn
from ganstyle.backends.model import Compute
from ganstyle.backends.pace import least_milliseconds, machine
from ganstyle.export.errors import ExportError
from ganstyle.export.portable import even_mixture, reference, side_of

TIMED = 256
"""Pixels: the side of the picture that is timed."""
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
    found = least_milliseconds({name: partial(way, image, mixture) for name, way in ways.items()})
    return {"side": side, **found, **machine()}
