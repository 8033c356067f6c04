"""Whether bf16 costs quality: `python -m benchmarks.precisions --output benchmarks/results/precisions.json`.

Trains the quickstart in trainer.precision=auto and 32, from several seeds, and compares what the test pictures say:
PSNR against the known answer. Every run is `train.py` in a process of its own; runs of other seeds in the file stay.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.record import machine
from ganstyle.training.provenance import commit

PRECISIONS = ("32", "auto")
BAR = 0.3
"""Decibels that the means over the seeds may lie apart."""
TRAIN = Path(__file__).parents[1] / "train.py"


def main() -> None:
    """Train, compare, and write one results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/precisions.json"))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    words = parser.parse_args()
    kept = json.loads(words.output.read_text())["runs"] if words.output.exists() else []
    for seed in words.seeds:
        kept = [run for run in kept if run["seed"] != seed] + [trained(precision, seed) for precision in PRECISIONS]
        words.output.write_text(json.dumps(reported(kept), indent=2) + "\n")


def reported(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Say what the runs came to, and the command that makes them all."""
    seeds = " ".join(map(str, sorted({run["seed"] for run in runs})))
    return {
        "command": f"python -m benchmarks.precisions --seeds {seeds}",
        "machine": machine(),
        **compared(runs),
        "runs": runs,
    }


def trained(precision: str, seed: int) -> dict[str, Any]:
    """Train the quickstart once; its test PSNR, how long it took, and with which commit."""
    with tempfile.TemporaryDirectory() as folder:
        words = [f"trainer.precision={precision}", f"seed={seed}", f"runs={folder}"]
        subprocess.run([sys.executable, str(TRAIN), "experiment=quickstart", *words], check=True)
        metrics = json.loads(next(Path(folder).rglob("metrics.json")).read_text())
    return {
        "precision": precision,
        "seed": seed,
        "psnr": round(metrics["test"]["psnr"], 3),
        "seconds": metrics["seconds"],
        "commit": commit(),
    }


def compared(runs: list[dict[str, Any]]) -> Mapping[str, Any]:
    """Compare the means of both precisions."""
    means = {kind: statistics.mean(run["psnr"] for run in runs if run["precision"] == kind) for kind in PRECISIONS}
    apart = means["auto"] - means["32"]
    return {
        "psnr": {kind: round(mean, 3) for kind, mean in means.items()},
        "apart": round(apart, 3),
        "at_most": BAR,
        "met": abs(apart) <= BAR,
    }


if __name__ == "__main__":
    main()
