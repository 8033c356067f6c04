"""Restyle what memory does not hold as a whole: `python -m benchmarks.large_picture --photograph FILE --output FILE`.

One of a hundred megapixels, a photograph enlarged and laid out in mirrored tiles, goes through `ganstyle stylize` in a
process of its own, whose memory and temporary files are watched from outside. Then each network paints 2048 x 2048
pixels of a photograph twice, at once and in strips; U-Net-256 and ResNet-9 have drawn weights.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as Pillow
from torch import nn

from benchmarks.record import machine
from ganstyle import artifact, decode, images
from ganstyle.backends.padding import mirrored
from ganstyle.decode import Pixels
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet
from ganstyle.stylize.engine import Engine
from ganstyle.stylize.memory import Plan, memory_of
from ganstyle.stylize.sources import Given
from ganstyle.training.provenance import commit

LARGE = "hundred_megapixels"
MODEL = Path("examples/models/vangogh")
HEIGHT, WIDTH, ENLARGED = 8_192, 12_288, 3
SIDE = 2048
MEMORY = "1GB"
BUDGET = "400MB"
"""For the 2048 x 2048 pixels in strips."""
RAM_BAR, STEP = 4e9, 1 / 255
"""What a hundred megapixels may take, in bytes, and how far strips may be from the whole, of [0, 1]."""
LOOK_EVERY = 0.1
"""Seconds between two looks at a process."""
NETWORKS: Mapping[str, Callable[[], nn.Module]] = {
    "unet256": lambda: UNet(dropout_at_test=False),
    "resnet9": ResNet,
    "light": lambda: artifact.load(MODEL).network,
}


def main() -> None:
    """Measure what is asked for, and put it into the results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photograph", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--parts", nargs="+", choices=(LARGE, *NETWORKS), default=(LARGE, *NETWORKS))
    words = parser.parse_args()
    pixels = decode.read(words.photograph)
    for part in words.parts:
        if part == LARGE:
            with tempfile.TemporaryDirectory(prefix="ganstyle-large-") as place:
                found = passage(pixels, Path(place))
        else:
            found = likeness(part, photograph(pixels))
        kept = json.loads(words.output.read_text()) if words.output.exists() else {}
        result = kept | {
            "command": "python -m benchmarks.large_picture --photograph kodak/05.png",
            "machine": machine(),
            "torch": torch.__version__,
            part: {"commit": commit(), "load": round(os.getloadavg()[0], 1)} | found,
        }
        words.output.write_text(json.dumps(result, indent=2) + "\n")
        print(json.dumps(result[part]), flush=True)


def passage(pixels: Pixels, place: Path) -> dict[str, Any]:
    """Send a large picture through `ganstyle stylize`, and say what that took."""
    source, target = place / "large.jpg", place / "out.jpg"
    Pillow.fromarray(tiled(pixels, HEIGHT, WIDTH)).save(source, quality=92)
    words = ["stylize", source, "--model", MODEL, "--backend", "torch", "--max-memory", MEMORY, "--output", target]
    command = [sys.executable, "-m", "ganstyle.cli", *map(str, words)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(place)})
    seen = watched(process)
    seconds = time.perf_counter() - began
    said = process.stderr.read() if process.stderr else ""
    if process.returncode:
        raise RuntimeError(f"ganstyle stylize ended with {process.returncode}: {said[-500:]}")
    same = decode.header(source, largest=10**9)[:2] == decode.header(target, largest=10**9)[:2]
    return {
        "command": f"ganstyle stylize large.jpg --model {MODEL} --max-memory {MEMORY} --output out.jpg",
        "pixels": [WIDTH, HEIGHT],
        "size_kept": same,
        "announced": re.sub(r" in \S*;", ";", said.strip()),
        "peak_gigabytes": round(seen.memory / 1e9, 2),
        "disk_gigabytes": round(seen.disk / 1e9, 2),
        "seconds": round(seconds),
        "processor_seconds": round(seen.processor),
        "met": bool(seen.memory < RAM_BAR and same),
    }


def tiled(pixels: Pixels, height: int, width: int) -> Pixels:
    """Enlarge a picture, and let it go on by reflection up to a size."""
    rows, columns = (ENLARGED * side for side in pixels.shape[:2])
    tile = images.resize(pixels, rows, columns)
    return np.ascontiguousarray(tile[mirrored(0, height, rows)][:, mirrored(0, width, columns)])


def photograph(pixels: Pixels) -> torch.Tensor:
    """Enlarge the middle of a photograph to 2048 x 2048 pixels."""
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    return images.to_tensor(images.resize(pixels[top : top + side, left : left + side], SIDE, SIDE))


def likeness(name: str, image: torch.Tensor) -> dict[str, Any]:
    """Paint at once and in strips, and compare."""
    torch.manual_seed(0)
    network = NETWORKS[name]().eval()
    plans: list[Plan] = []

    def heard(plan: Plan) -> Callable[[float], None]:
        plans.append(plan)
        return lambda products: None

    with torch.inference_mode():
        whole = network(image[None])[0]
    painted = Engine(network, memory_of(BUDGET), heard).restyle(Given(image))
    strips = torch.cat([strip for _, strip in painted.room.strips(painted.picture)], dim=1)
    largest = float((strips - whole).abs().max()) / 2
    steps = int(np.abs(images.to_uint8(strips).astype(int) - images.to_uint8(whole)).max())
    return {
        "network": name,
        "pixels": [SIDE, SIDE],
        "max_memory": BUDGET,
        "in_strips": plans[0].in_strips,
        "largest_difference": largest,
        "largest_difference_in_steps_of_8_bits": steps,
        "met": plans[0].in_strips and largest <= STEP,
    }


@dataclass
class Seen:
    """The most that a process held, in bytes, and the seconds of processor time that it took."""

    memory: int = 0
    disk: int = 0
    processor: float = 0.0


def watched(process: "subprocess.Popen[str]") -> Seen:
    """Look at a process until it ends; its temporary files have no name, and are seen by their handles."""
    seen = Seen()
    place = Path("/proc") / str(process.pid)
    while process.poll() is None:
        try:
            status = (place / "status").read_text(encoding="ascii")
            ticks = (place / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
            if "VmHWM:" in status:
                seen.memory = max(seen.memory, 1024 * int(status.split("VmHWM:")[1].split()[0]))
            seen.processor = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
            seen.disk = max(seen.disk, sum(map(_unnamed, (place / "fd").iterdir())))
        except OSError:
            pass  # it ended while it was looked at
        time.sleep(LOOK_EVERY)
    return seen


def _unnamed(handle: Path) -> int:
    """The bytes on disk of a file that has no name any more."""
    try:
        found = handle.stat()
        return 512 * found.st_blocks if found.st_nlink == 0 else 0
    except OSError:
        return 0


if __name__ == "__main__":
    main()
