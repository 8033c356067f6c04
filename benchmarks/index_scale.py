"""Measure the index at full size: `python -m benchmarks.index_scale --output benchmarks/results/index_scale.json`.

Writes an index of 1.8 million rows in the manner of Places365 (synthetic rows: there are no files; every row has the
bytes of one small JPEG), then opens it in fresh processes: how long opening takes, whole and filtered, what memory a
process and a loader's workers need, how long a shuffled example takes, and whether another process continues the same.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from benchmarks.record import machine
from ganstyle.data.index import TRAIN, UNTOLD, Glance, Index, Listing, halved, indexed
from ganstyle.data.order import drawn
from ganstyle.data.pictures import Pictures, by_short_side
from ganstyle.data.sides import rows
from ganstyle.data.tolerant import STOP, Tolerant
from ganstyle.training.provenance import commit

ROWS, CATEGORIES = 1_803_460, 365
MIB = 1 << 20
WORKERS = 2


def main() -> None:
    """Build, then let children open and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.open:
        print(json.dumps(opened(arguments.open)))
        return
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder) / "index"
        began = time.process_time(), time.perf_counter()
        indexed(at, {}, partial(listing, arguments.rows), Synthetic(), f"{arguments.rows:,} synthetic rows")
        built = [round(time.process_time() - began[0], 1), round(time.perf_counter() - began[1], 1)]
        size = sum(path.stat().st_size for path in at.iterdir()) / MIB
        runs = [child(at, arguments.rows) for _ in range(3)]
    assert len({run["examples"] for run in runs}) == 1, "two processes continue the same run differently"
    result = {
        "command": f"python -m benchmarks.index_scale --rows {arguments.rows}",
        "commit": commit(),
        "machine": machine(),
        "rows": arguments.rows,
        "index on disk, MiB": round(size, 1),
        "building, seconds (processor, wall)": built,
        "runs": runs,
    }
    if arguments.output:
        arguments.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def jpeg() -> bytes:
    """One small picture."""
    file = BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(file, "JPEG")
    return file.getvalue()


@dataclass(frozen=True)
class Synthetic:
    """Rows without files: one picture for all, told apart by the hashes of their names."""

    picture: bytes = jpeg()

    def content(self, path: str, offset: int, length: int) -> bytes:
        """Return the one picture."""
        return self.picture

    def glance(self, path: str, offset: int, length: int) -> Glance:
        """Hash the name."""
        return Glance(
            (len(self.picture), 64, 64, int.from_bytes(blake2b(path.encode(), digest_size=8).digest(), "little"))
        )


def listing(count: int) -> Listing:
    """Name rows as Places365 does."""
    labels = np.arange(count) * CATEGORIES // count
    paths = [f"data_256_standard/c/category_{label:03}/{row:08}.jpg" for row, label in enumerate(labels.tolist())]
    names = [f"category_{label:03}" for label in range(CATEGORIES)]
    split = np.where(np.arange(count) % 50, TRAIN, UNTOLD)
    return Listing(paths, split, {"category": labels}, {"category": names})


def child(at: Path, count: int) -> dict[str, Any]:
    """Open the index in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.index_scale", "--open", str(at), "--rows", str(count)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def opened(at: Path) -> dict[str, Any]:
    """Open whole and filtered, go through examples here and in workers, and measure."""
    before, began = memory(), time.perf_counter()
    index = Index(at, Synthetic())
    train, _ = halved(index, np.ones(len(index), bool), 0.1, 0)
    pictures = Tolerant(Pictures(train, partial(by_short_side, short=None), budget=0), STOP)
    identity = train.identity()
    whole, after = time.perf_counter() - began, memory()
    began = time.perf_counter()
    few, _ = halved(index, rows(index, {"category": ["category_007", "category_300"]}), 0.1, 0)
    filtered = time.perf_counter() - began
    loader = DataLoader(Examples(pictures), batch_size=100, num_workers=WORKERS, generator=torch.Generator())
    reports = list(loader)
    began = time.perf_counter()
    order = [drawn(number, len(pictures), 0) for number in range(10**6, 10**6 + 10_000)]
    return {
        "opening, seconds": round(whole, 3),
        "filtering two categories, seconds": round(filtered, 3),
        "pictures, whole and filtered": [len(train), len(few)],
        "memory of the process that opens, MiB (resident, its own)": [
            round(a - b, 1) for a, b in zip(after, before, strict=True)
        ],
        "memory of a worker beyond that before opening, MiB (resident, its own)": [
            round(float(reports[-1]["memory"][-1][place]) - before[place], 1) for place in (0, 1)
        ],
        "microseconds to find a place in the shuffled order": round((time.perf_counter() - began) * 100, 1),
        "examples": blake2b(f"{identity}{order}".encode(), digest_size=8).hexdigest(),
    }


class Examples(Dataset[Any]):
    """Shuffled pictures, and how much memory the process that loads them has by then."""

    def __init__(self, pictures: Tolerant[Any]) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return 4000

    def __getitem__(self, number: int) -> dict[str, Any]:
        pixels = self.pictures[drawn(number, len(self.pictures), 0)]
        return {"mean": float(pixels.mean()), "memory": torch.tensor(memory())}


def memory() -> tuple[float, float]:
    """Return the resident memory of this process, and the part that no other process shares, in MiB."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    kib = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines[1:])}
    return kib["Rss"] / 1024, (kib["Private_Clean"] + kib["Private_Dirty"]) / 1024


if __name__ == "__main__":
    main()
