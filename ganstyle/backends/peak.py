"""Says how much memory a model takes to paint one picture: `python -m ganstyle.backends.peak FILE SIDE`."""

import resource
import sys
from pathlib import Path

import numpy as np

from ganstyle.backends.model import Model, style_count
from ganstyle.backends.opened import opened


def main(path: str, side: str) -> None:
    """Paint a gray picture and print the most bytes that were held at once."""
    model = opened(Path(path))
    if not isinstance(model, Model):
        raise SystemExit(f"{path} is not run as a whole")
    model.restyle(np.zeros((3, int(side), int(side)), np.float32), 0 if style_count(model.card) else None)
    print(most())


def most() -> int:
    """The most bytes that this process held; Linux's own, since that of `getrusage` begins with the parent's."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS, in bytes


if __name__ == "__main__":
    main(*sys.argv[1:])
