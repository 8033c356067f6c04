"""Keep a run's figures: `python benchmarks/record.py runs/vangogh/<time> --output benchmarks/results/vangogh.json`.

Takes metrics.json and the artifact's card, and what callbacks=quality cost and found, if it was on; adds the command
and the machine. Nothing is measured here.
"""

import argparse
import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import torch

from ganstyle.backends.pace import processor
from ganstyle.metrics.recorded import recorded as recorded_curves

ABSOLUTE = re.compile(r"(?<![^\s=:,'\"([{])/(?!/)([^/\s]+/)*(?=[^/\s])")
"""Folders of an absolute path, up to the last name."""


def main() -> None:
    """Read a run folder and write one results file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument("--output", type=Path, required=True, help="the results file")
    parser.add_argument("--note", default="", help="what a reader must know, e.g. how busy the machine was")
    arguments = parser.parse_args()
    result = recorded(arguments.run, arguments.note)
    arguments.output.write_text(json.dumps(result, indent=2) + "\n")


def recorded(run: Path, note: str) -> dict[str, Any]:
    """Put a run's metrics beside where they come from."""
    metrics = json.loads((run / "metrics.json").read_text())
    card = json.loads(next((run / "artifact").rglob("card.json")).read_text())
    training = card["training"]
    return {
        "command": " ".join(["python train.py", *training["overrides"]]),
        "commit": training["commit"],
        "versions": training["versions"],
        "machine": machine(),
        "note": note,
        "network": {key: card[key] for key in ("network", "arguments", "weights_sha256")},
        "objective": card["losses"],
        **metrics,
        **_quality(run),
    }


def _quality(run: Path) -> dict[str, Any]:
    """What evaluations in the loop took of the time, by images seen, and the newest scores with their protocol."""
    if not (run / "quality.json").is_file():
        return {}
    curves = recorded_curves(run).curves
    share = curves["quality/share"]
    shares = {f"{images:.0f}": round(value, 4) for images, value in zip(share.images, share.values, strict=True)}
    return {"quality": {"share_of_run_time_by_images": shares, **json.loads((run / "quality.json").read_text())}}


def command(module: str) -> str:
    """Give the command line that this runs by, with PATH for the folders of absolute paths."""
    return shlex.join(["python", "-m", module, *map(shortened, sys.argv[1:])])


def shortened(word: str) -> str:
    """Replace the folders of absolute paths in a word, also of those after = or inside a text."""
    return ABSOLUTE.sub("PATH/", word)


def machine() -> str:
    """Describe the processor that this runs on."""
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ", no GPU"
    return f"{os.cpu_count()} x {processor()}{gpu}"


def instructions() -> list[str]:
    """Name what the processor has for networks, of what makes a difference to them."""
    known = next((line.split() for line in _cpuinfo() if line.startswith("flags")), [])
    return [name for name in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8") if name in known]


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


if __name__ == "__main__":
    main()
