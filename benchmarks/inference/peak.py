"""Say how much memory an arm takes: `python -m benchmarks.inference.peak FOLDER ARM SIDE`, a process of its own.

Prints JSON: the most megabytes that the whole process held, and how many bytes for every pixel painting took on top of
what program and network hold. Only the arms of PyTorch import it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ganstyle.backends.peak import most


def peak_of(folder: Path, arm: str, side: int) -> dict[str, Any]:
    """Measure in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.inference.peak", str(folder), arm, str(side)]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(folder: str, arm: str, side: str) -> None:
    """Paint one picture and print what it took; where a compiler is at work first, a second one."""
    paint = _painting(Path(folder), arm)
    image = np.zeros((1, 3, int(side), int(side)), np.float32)
    if arm.startswith("compiled"):
        paint(image)
        _forget_peak()
    before = _resident()
    paint(image)
    held = most()
    growth = max(0, held - before) / int(side) ** 2
    print(json.dumps({"peak_megabytes": round(held / 1e6), "bytes_per_pixel": round(growth)}))


def _painting(folder: Path, arm: str) -> Any:
    """Make an arm ready; from a file, without PyTorch."""
    if folder.is_dir():
        from benchmarks.inference.arms import WAYS
        from ganstyle import artifact

        return WAYS[arm](artifact.load(folder).network)
    from ganstyle.backends.opened import opened

    compute = opened(folder).compute  # type: ignore[union-attr]
    return lambda images: compute(images, None)


def _status(entry: str) -> int:
    """Read one of Linux's figures of this process, in bytes."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return int(text.split(f"{entry}:")[1].split()[0]) * 1024


def _forget_peak() -> None:
    """Let Linux count this process's most memory from now on."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _resident() -> int:
    return _status("VmRSS") if Path("/proc/self/status").exists() else most()


if __name__ == "__main__":
    main(*sys.argv[1:])
