"""A sweep of real trials: python -m benchmarks.real_sweep --trials 8 --output benchmarks/results/real_sweep.json.

`ganstyle sweep` searches conf/sweep/default.yaml on small drawn pictures, is stopped by SIGTERM in the middle, and goes
on by the same command; then `experiment=best` trains a few images. Kept are the table of trials, and how long each part
took. Everything happens in a temporary folder.
"""

import argparse
import csv
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.record import machine
from ganstyle.training.provenance import commit
from ganstyle.training.trial import train_program

SEARCH = (
    "experiment=smoke",
    "sweep=default",
    "data.size=96",
    "data.scenes=16",
    "trainer.max_images=96",
    "callbacks.quality.every=24",
    "callbacks.checkpoints.every=24",
)
"""Four evaluations of every trial, which the pruner looks at."""


def sweep(folder: Path, trials: int, stop_after: int | None = None) -> int:
    """Give the command of a sweep, and SIGTERM to it once so many trials have ended; return its exit code."""
    words = [*SEARCH, "--trials", str(trials), "--folder", str(folder / "sweep")]
    with (folder / "said.txt").open("a") as said:
        process = subprocess.Popen([sys.executable, "-m", "ganstyle.cli", "sweep", *words], stdout=said, stderr=said)
        while stop_after is not None and process.poll() is None:
            time.sleep(0.5)
            if sum(line.startswith("trial ") for line in (folder / "said.txt").read_text().splitlines()) >= stop_after:
                process.send_signal(signal.SIGTERM)
                break
        return process.wait()


def measured(folder: Path, trials: int) -> dict[str, Any]:
    """Sweep in two parts, and train the best again."""
    began = time.monotonic()
    stopped = sweep(folder, trials, trials // 2)
    middle = time.monotonic()
    ended = sweep(folder, trials)
    end = time.monotonic()
    again = [
        "--config-dir",
        str(folder / "sweep"),
        "experiment=best",
        "trainer.max_images=8",
        f"runs={folder / 'runs'}",
    ]
    best = subprocess.run([*train_program(), *again], capture_output=True, text=True, check=False)
    rows = list(csv.DictReader((folder / "sweep" / "trials.csv").read_text().splitlines()))
    for row in rows:
        del row["run"]
    return {
        "search": " ".join(SEARCH),
        "exit_codes": {"stopped by SIGTERM": stopped, "the same command": ended, "experiment=best": best.returncode},
        "seconds": {"until stopped": round(middle - began, 1), "to the end": round(end - middle, 1)},
        "left": sorted(
            path.name for path in (folder / "sweep").rglob("*") if path.parent.name in ("sweep", "experiment")
        ),
        "trials": rows,
    }


def main() -> None:
    """Sweep, print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=8, help="(default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="the results file")
    words = parser.parse_args()
    own = {
        "command": f"python -m benchmarks.real_sweep --trials {words.trials} --output {words.output}",
        "commit": commit(),
        "machine": machine(),
    }
    with tempfile.TemporaryDirectory() as folder:
        report = own | measured(Path(folder), words.trials)
        print((Path(folder) / "said.txt").read_text())
    words.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
