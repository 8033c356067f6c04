"""What a second process is worth: `python -m benchmarks.scaling --output benchmarks/results/scaling.json`.

Two processes, pinned to a core each, train on twice the images of one process on one core, and average gradients over
gloo in four ways (`benchmarks/train/reductions.py`); the efficiency is one process's time of a step, divided by
theirs, in turns. Two processes that say nothing to each other are the most that the machine gives. `--device cuda`
does the same on two GPUs, over NCCL.
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

import torch

from benchmarks.inference.timing import interleaved, ratios
from benchmarks.record import machine
from benchmarks.train.ours import RECIPES
from benchmarks.train.reductions import BACKENDS, WAYS
from ganstyle.training.provenance import commit

ROUNDS = {"pix2pix": 12, "cyclegan": 4}
FOLDER = Path("benchmarks/results")
RESULTS = {"cpu": FOLDER / "scaling.json", "cuda": FOLDER / "scaling_cuda.json"}


def main() -> None:
    """Time what is asked for and put it into the results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="default: scaling.json or scaling_cuda.json in benchmarks/results")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--device", choices=BACKENDS, default="cpu")
    words = parser.parse_args()
    if words.device == "cuda" and torch.cuda.device_count() < 2:
        parser.error(f"--device cuda wants two GPUs, but PyTorch finds {torch.cuda.device_count()} here")
    output = words.output or RESULTS[words.device]
    kept = json.loads(output.read_text()) if output.exists() else {}
    found = kept.get("recipes", {})
    for recipe in words.recipes:
        for size in words.batch_sizes:
            found.setdefault(recipe, {})[f"batch {size}"] = measured(recipe, size, words.device)
            print(json.dumps({recipe: found[recipe]}, indent=2), flush=True)
    result = {
        "command": f"python -m benchmarks.scaling --device {words.device} --recipes {' '.join(words.recipes)} "
        f"--batch-sizes {' '.join(map(str, words.batch_sizes))}",
        "commit": commit(),
        "machine": machine(),
        "protocol": "256 x 256 pixels, trainer.precision=auto, nothing compiled, batch per process; wall time of "
        "whole steps in turns; efficiency: median over the rounds of one process's time divided by that of two, "
        "with twice the images",
        "recipes": found,
    }
    output.write_text(json.dumps(result, indent=2) + "\n")


def measured(recipe: str, size: int, device: str) -> dict[str, Any]:
    """Time one process and, in every way, two; say how efficient the second one is."""
    with tempfile.TemporaryDirectory() as folder:
        one = [_started(recipe, size, 0, device)]
        two = [_started(recipe, size, rank, device, folder) for rank in (0, 1)]
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


def _started(recipe: str, size: int, rank: int, device: str, folder: str = "") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.train.reductions", recipe, str(size), str(rank), device, folder],
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
