"""Stands in for train.py in the tests of sweeps: takes overrides, writes what a run writes, and imports no PyTorch.

The score after image n is -(x - 3)^2 - 1 / n. `TRAINEE` in the environment may hold, as JSON, how long an image takes
(`pause`), how many there are (`images`), and for which values of x it fails (`fails`).
"""

import csv
import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from ganstyle.training.owned import end_with_owner

DEFAULTS = {"pause": 0.0, "images": 3, "fails": [], "score": "quality/gain"}


def main() -> int:
    """Train, as it were."""
    end_with_owner()
    knobs = DEFAULTS | json.loads(os.environ.get("TRAINEE", "{}"))
    words = dict(word.split("=", 1) for word in sys.argv[1:])
    folder = Path(words["hydra.run.dir"].strip("'"))
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _train(folder, words, knobs)


def _train(folder: Path, words: dict[str, str], knobs: dict[str, Any]) -> int:
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    x = float(words.get("system.ema", "3"))
    state = folder / "checkpoints" / "last.ckpt"
    seen = int(state.read_text()) if state.is_file() and words.get("resume") == "last" else 0
    with (folder / "starts.txt").open("a") as log:
        log.write(f"{os.getpid()} from {seen}\n")
    if x in knobs["fails"]:
        print("train.py: this value of system.ema is one that fails.", file=sys.stderr)
        return 2
    for image in range(seen + 1, int(knobs["images"]) + 1):
        time.sleep(knobs["pause"])
        state.write_text(str(image))
        _row(folder, image, score(x, image), knobs["score"])
        if stopped:
            return 128 + stopped[0]
    report = {"validation": {knobs["score"]: score(x, int(knobs["images"]))}}
    (folder / "metrics.json").write_text(json.dumps(report))
    return 0


def score(x: float, image: int) -> float:
    """What a run with x scores after an image."""
    return -((x - 3) ** 2) - 1 / image


def _row(folder: Path, image: int, value: float, name: str) -> None:
    path = folder / "csv" / "version_0" / "metrics.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        rows = csv.writer(file)
        if fresh:
            rows.writerow(["images_seen", name])
        rows.writerow([image, value])


if __name__ == "__main__":
    sys.exit(main())
