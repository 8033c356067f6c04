"""Measure the index at full size: `python -m benchmarks.index_scale --output benchmarks/results/index_scale.json`.

Writes an index of 1.8 million rows in the manner of Places365 (synthetic rows: there are no files; every row has the
bytes of one small JPEG), then opens it in fresh processes: how long opening takes, whole and filtered, what memory a
process and a loader's workers need and how much of it is there with a thousand rows as well, how long a place in the
shuffled order takes, and whether a process that begins in the middle goes on with the same pictures.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from benchmarks.record import machine
from ganstyle.backends.peak import most
from ganstyle.data.folders import hashed
from ganstyle.data.index import TRAIN, UNTOLD, Glance, Index, Listing, Rows, halved, indexed, mark
from ganstyle.data.order import drawn
from ganstyle.data.pictures import Pictures, by_short_side
from ganstyle.data.sides import rows
from ganstyle.data.tolerant import STOP, Tolerant
from ganstyle.training.loaders import Numbers
from ganstyle.training.provenance import commit

ROWS, SMALL, CATEGORIES = 1_803_460, 1000, 365
MIB = 1 << 20
HALF, BATCH = 2000, 100
"""Examples after which another process takes over, and of a batch."""
TOLD = (
    "opening, seconds (by the clock, of the processor; two categories more)",
    "pictures (whole, two categories)",
    "microseconds to find a place in the shuffled order",
)


def main() -> None:
    """Build, then let children open and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--start", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.open:
        print(json.dumps(opened(arguments.open, arguments.start, arguments.workers)))
        return
    with tempfile.TemporaryDirectory() as folder:
        small, large = (Path(folder) / name for name in ("small", "large"))
        built(small, SMALL)
        seconds = built(large, arguments.rows)
        size = sum(path.stat().st_size for path in large.iterdir()) / MIB
        child(large, 0, 2)  # the first one reads from disk what the others find in memory
        least, whole, alone = child(small, 0, 2), child(large, 0, 2), child(large, 0, 0)
        resumed = child(large, HALF, 1)
    result = {
        "command": f"python -m benchmarks.index_scale --rows {arguments.rows}",
        "commit": commit(),
        "machine": machine(),
        "rows": arguments.rows,
        "index on disk, MiB": round(size, 1),
        "building, seconds (processor, wall)": seconds,
        **{name: whole[name] for name in TOLD},
        f"memory, MiB, with {arguments.rows:,} rows (and what {SMALL:,} rows take less)": {
            name: [value, round(value - least["memory"][name], 1)] for name, value in whole["memory"].items()
        },
        f"examples {HALF:,} to {2 * HALF:,} of a run": {
            "in one process as with two workers": alone["places"] == whole["places"],
            "when a process with one worker begins there": resumed["places"] == whole["places"][HALF:],
        },
    }
    if arguments.output:
        arguments.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def built(at: Path, count: int) -> list[float]:
    """Write an index, and return the processor's seconds and those by the clock."""
    began = time.process_time(), time.perf_counter()
    indexed(at, {}, partial(listing, count), Synthetic(), f"{count:,} synthetic rows")
    return [round(time.process_time() - began[0], 1), round(time.perf_counter() - began[1], 1)]


def jpeg() -> bytes:
    """One small picture."""
    file = BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(file, "JPEG")
    return file.getvalue()


@dataclass(frozen=True)
class Synthetic:
    """Rows without files: one picture for all, each with its name behind its end."""

    picture: bytes = jpeg()

    def content(self, path: str, offset: int, length: int) -> bytes:
        """Return the one picture and the name."""
        return self.picture + path.encode()

    def glance(self, path: str, offset: int, length: int) -> Glance:
        """Hash both."""
        content = self.content(path, offset, length)
        return Glance((len(content), 64, 64, mark(hashed(BytesIO(content)))))


def listing(count: int) -> Listing:
    """Name rows as Places365 does."""
    labels = np.arange(count) * CATEGORIES // count
    paths = [f"data_256_standard/c/category_{label:03}/{row:08}.jpg" for row, label in enumerate(labels.tolist())]
    names = [f"category_{label:03}" for label in range(CATEGORIES)]
    split = np.where(np.arange(count) % 50, TRAIN, UNTOLD)
    return Listing(paths, split, {"category": labels}, {"category": names})


def child(at: Path, start: int, workers: int) -> dict[str, Any]:
    """Open the index in a process of its own, which loads from example `start` on."""
    command = [sys.executable, "-m", "benchmarks.index_scale", "--open", at, "--start", start, "--workers", workers]
    ended = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def opened(at: Path, start: int, workers: int) -> dict[str, Any]:
    """Open whole and filtered, go through examples here or in workers, and measure."""
    before, began = memory(), (time.perf_counter(), time.process_time())
    index = Index(at, Synthetic())
    train, _ = halved(index, np.ones(len(index), bool), 0.1, 0)
    train.identity()
    whole, after = (time.perf_counter() - began[0], time.process_time() - began[1]), memory()
    started = time.perf_counter()
    few, _ = halved(index, rows(index, {"category": ["category_000", "category_300"]}), 0.1, 0)
    filtered = time.perf_counter() - started
    examples = Examples(train)
    loader = DataLoader(
        examples,
        batch_sampler=Numbers(start, 2 * HALF, BATCH),
        num_workers=workers,
        generator=torch.Generator(),
    )
    batches = list(loader)
    started = time.perf_counter()
    for number in range(10**6, 10**6 + 10_000):
        drawn(number, len(train), 0)
    found = (time.perf_counter() - started) * 100
    last = [round(max(batch["memory"][-1][kind].item() for batch in batches[-2:]), 1) for kind in (0, 1)]
    return {
        "opening, seconds (by the clock, of the processor; two categories more)": [
            *(round(seconds, 3) for seconds in (*whole, filtered))
        ],
        "pictures (whole, two categories)": [len(train), len(few)],
        "microseconds to find a place in the shuffled order": round(found, 1),
        "memory": {
            "most that the opening process held": round(after[2], 1),
            "opening took (resident)": round(after[0] - before[0], 1),
            "of a worker after its examples (resident)": last[0],
            "of a worker after its examples (its own)": last[1],
        },
        "places": [place for batch in batches for place in batch["place"].tolist()],
    }


class Examples(Dataset[Any]):
    """Shuffled pictures: which it is, and with the last of a batch how much memory the process has by then."""

    def __init__(self, files: Rows) -> None:
        self.files = files
        self.pictures = Tolerant(Pictures(files, partial(by_short_side, short=None), budget=0), STOP)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> dict[str, Any]:
        place = drawn(number, len(self.files), 0)
        self.pictures[place]
        last = number % BATCH == BATCH - 1
        return {"place": place, "memory": torch.tensor(memory() if last else (0.0, 0.0, 0.0))}


def memory() -> tuple[float, float, float]:
    """Return what this process holds, the part that no other process shares, and the most it held, in MiB."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    kib = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines[1:])}
    return kib["Rss"] / 1024, (kib["Private_Clean"] + kib["Private_Dirty"]) / 1024, most() / MIB


if __name__ == "__main__":
    main()
