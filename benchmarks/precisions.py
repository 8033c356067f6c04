"""Whether bf16 costs quality: `python -m benchmarks.precisions --output benchmarks/results/precisions.json`.

Trains the quickstart in trainer.precision=auto and 32, from several seeds, and compares what the test pictures say:
PSNR against the known answer. Every run is `train.py` in a process of its own.
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
    runs = [trained(precision, seed) for seed in words.seeds for precision in PRECISIONS]
    result = {
        "command": f"python -m benchmarks.precisions --seeds {' '.join(map(str, words.seeds))}",
        "commit": commit(),
        "machine": machine(),
        **compared(runs),
        "runs": runs,
    }
    words.output.write_text(json.dumps(result, indent=2) + "\n")


def trained(precision: str, seed: int) -> dict[str, Any]:
    """Train the quickstart once; its test PSNR, and how long it took."""
    with tempfile.TemporaryDirectory() as folder:
        words = [f"trainer.precision={precision}", f"seed={seed}", f"runs={folder}"]
        subprocess.run([sys.executable, str(TRAIN), "experiment=quickstart", *words], check=True)
        metrics = json.loads(next(Path(folder).rglob("metrics.json")).read_text())
    return {
        "precision": precision,
        "seed": seed,
        "psnr": round(metrics["test"]["psnr"], 3),
        "seconds": metrics["seconds"],
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
