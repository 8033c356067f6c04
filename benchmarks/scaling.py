"""What a second process is worth: `python -m benchmarks.scaling --output benchmarks/results/scaling.json`.

Two processes, pinned to a core each, train on twice the images of one process on one core, and average gradients over
gloo in three ways (`benchmarks/train/reductions.py`); the efficiency is one process's time of a step, divided by
theirs, in turns. Two processes that say nothing to each other are the most that the machine gives.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.inference.timing import interleaved, ratios
from benchmarks.record import machine
from benchmarks.train.ours import RECIPES
from benchmarks.train.reductions import WAYS
from ganstyle.training.provenance import commit

ROUNDS = {"pix2pix": 12, "cyclegan": 4}


def main() -> None:
    """Time what is asked for and put it into the results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/scaling.json"))
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[1, 4])
    words = parser.parse_args()
    kept = json.loads(words.output.read_text()) if words.output.exists() else {}
    found = kept.get("recipes", {})
    for recipe in words.recipes:
        for size in words.batch_sizes:
            found.setdefault(recipe, {})[f"batch {size}"] = measured(recipe, size)
            print(json.dumps({recipe: found[recipe]}, indent=2), flush=True)
    result = {
        "command": "python -m benchmarks.scaling",
        "commit": commit(),
        "machine": machine(),
        "protocol": "256 x 256 pixels, trainer.precision=auto, batch per process; wall time of whole steps in turns; "
        "efficiency: median over the rounds of one process's time divided by that of two, with twice the images",
        "recipes": found,
    }
    words.output.write_text(json.dumps(result, indent=2) + "\n")


def measured(recipe: str, size: int) -> dict[str, Any]:
    """Time one process and, in every way, two; say how efficient the second one is."""
    with tempfile.TemporaryDirectory() as folder:
        one = [_started(recipe, size, 0)]
        two = [_started(recipe, size, rank, folder) for rank in (0, 1)]
        ways = {"one process": partial(_step, one, "apart")} | {name: partial(_step, two, name) for name in WAYS}
        taken = interleaved(ways, ROUNDS[recipe], time.perf_counter)
        for process in one + two:
            process.communicate()
    alone = taken["one process"]
    return {
        name: {
            "milliseconds": round(1000 * statistics.median(times), 1),
            "efficiency": round(statistics.median(ratios(alone, times)), 3),
            "rounds": len(times),
        }
        for name, times in taken.items()
    }


def _started(recipe: str, size: int, rank: int, folder: str = "") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.train.reductions", recipe, str(size), str(rank), folder],
        env={"GLOO_SOCKET_IFNAME": "lo"} | os.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _step(processes: "list[subprocess.Popen[str]]", way: str) -> None:
    for process in processes:
        assert process.stdin
        print(way, file=process.stdin, flush=True)
    for process in processes:
        assert process.stdout
        assert process.stdout.readline(), "a process ended"


if __name__ == "__main__":
    main()
