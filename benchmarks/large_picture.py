"""Restyle what memory does not hold as a whole: `python -m benchmarks.large_picture --photograph FILE --output FILE`.

One of a hundred megapixels, a photograph enlarged and laid out in mirrored tiles, goes through `ganstyle stylize` in a
process of its own, whose memory and temporary files are watched from outside: in windows by the shipped Van Gogh. One
of twenty-five goes layer by layer through a light generator with instance norm: its temporary files and time grow as
pixels do, its memory by the picture alone. Then each network, in a process of its own, paints 2048 x 2048 pixels of a
photograph twice, in strips, whose memory is measured, and at once. But for Van Gogh's, weights are drawn.
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
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray
from PIL import Image as Pillow
from torch import nn

from benchmarks.record import command, machine
from ganstyle import artifact, decode, images
from ganstyle.backends.padding import mirrored
from ganstyle.backends.peak import most
from ganstyle.decode import Pixels
from ganstyle.nn.light import Light
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet
from ganstyle.stylize.budget import plan
from ganstyle.stylize.engine import Engine
from ganstyle.stylize.memory import Announce, Plan, give_back, memory_of
from ganstyle.stylize.sources import Given
from ganstyle.training.provenance import commit

LARGE, LAYERS = "hundred_megapixels", "twenty_five_megapixels_layer_by_layer"
MODEL = Path("examples/models/vangogh")
SIZES, ENLARGED = {LARGE: (8_192, 12_288), LAYERS: (4_096, 6_144)}, 3
SIDE, SMALL = 2048, 256
MEMORY = "1GB"
BUDGET = "400MB"
"""For the 2048 x 2048 pixels in strips."""
RAM_BAR, STEP = 4e9, 1 / 255
"""What a hundred megapixels may take, in bytes, and how far strips may be from the whole, of [0, 1]."""
Image = Float32[ndarray, "3 height width"]
LOOK_EVERY = 0.1
"""Seconds between two looks at a process."""
NETWORKS: Mapping[str, Callable[[], nn.Module]] = {
    "unet256": lambda: UNet(dropout_at_test=False),
    "resnet9": ResNet,
    "light": lambda: artifact.load(MODEL).network,
    "light_instance": Light,
}


def main() -> None:
    """Measure what is asked for, and put it into the results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photograph", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--parts", nargs="+", choices=(LARGE, LAYERS, *NETWORKS), default=(LARGE, LAYERS, *NETWORKS))
    words = parser.parse_args()
    pixels = decode.read(words.photograph)
    for part in words.parts:
        with tempfile.TemporaryDirectory(prefix="ganstyle-large-") as place:
            found = measured(part, pixels, Path(place))
        kept = json.loads(words.output.read_text()) if words.output.exists() else {}
        result = kept | {
            "commands": list(dict.fromkeys([*kept.get("commands", []), command("benchmarks.large_picture")])),
            part: {"commit": commit(), "load": round(os.getloadavg()[0], 1)} | found,
        }
        words.output.write_text(json.dumps(result, indent=2) + "\n")
        print(json.dumps(result[part]), flush=True)


def measured(part: str, pixels: Pixels, place: Path) -> dict[str, Any]:
    """Measure one part, and say where."""
    here = {"machine": machine(), "torch": torch.__version__}
    if part == LARGE:
        return here | passage(pixels, place, MODEL, *SIZES[part])
    if part == LAYERS:
        torch.manual_seed(0)
        network = Light()
        artifact.save(network, place / "light")
        planned = plan(network.eval(), *SIZES[LARGE], memory=memory_of(MEMORY))
        more = {"planned_disk_gigabytes_for_a_hundred": round(planned.disk / 1e9, 1)}
        return here | passage(pixels, place, place / "light", *SIZES[part]) | more
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        return here | alone.submit(likeness, part, photograph(pixels).numpy()).result()


def passage(pixels: Pixels, place: Path, model: Path, height: int, width: int) -> dict[str, Any]:
    """Send a large picture through `ganstyle stylize`, and say what that took."""
    source, target = place / "large.jpg", place / "out.jpg"
    Pillow.fromarray(tiled(pixels, height, width)).save(source, quality=92)
    words = ["stylize", source, "--model", model, "--backend", "torch", "--max-memory", MEMORY, "--output", target]
    began = time.perf_counter()
    called = [sys.executable, "-m", "ganstyle.cli", *map(str, words)]
    process = subprocess.Popen(called, stderr=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(place)})
    seen = watched(process)
    seconds = time.perf_counter() - began
    said = process.stderr.read() if process.stderr else ""
    if process.returncode:
        raise RuntimeError(f"ganstyle stylize ended with {process.returncode}: {said[-500:]}")
    shown = MODEL if model == MODEL else model.name
    same = decode.header(source, largest=10**9)[:2] == decode.header(target, largest=10**9)[:2]
    return {
        "command": f"ganstyle stylize large.jpg --model {shown} --max-memory {MEMORY} --output out.jpg",
        "weights_sha256": artifact.read_card(model).weights_sha256,
        "pixels": [width, height],
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


def likeness(name: str, pixels: Image) -> dict[str, Any]:
    """Paint in strips and at once, and compare; say what memory the strips took beside the picture and its result."""
    torch.manual_seed(0)
    network, image = NETWORKS[name]().eval(), torch.from_numpy(pixels)
    plans: list[Plan] = []

    def heard(plan: Plan) -> Callable[[float], None]:
        plans.append(plan)
        return lambda products: None

    strips = torch.zeros_like(image)
    painted_in_strips(network, image[:, :SMALL, :SMALL], strips, lambda plan: lambda products: None)
    before = reset()
    painted_in_strips(network, image, strips, heard)
    taken = most() - before
    with torch.inference_mode():
        whole = network(image[None])[0]
    largest = float((strips - whole).abs().max()) / 2
    steps = int(np.abs(images.to_uint8(strips).astype(int) - images.to_uint8(whole)).max())
    return {
        "network": name,
        "pixels": [SIDE, SIDE],
        "max_memory": BUDGET,
        "in_strips": plans[0].in_strips,
        "window": plans[0].window and plans[0].window.side,
        "taken_megabytes": round(taken / 1e6),
        "memory_kept": taken <= memory_of(BUDGET),
        "temporary_files_megabytes": round(plans[0].disk / 1e6),
        "largest_difference": largest,
        "largest_difference_in_steps_of_8_bits": steps,
        "met": plans[0].in_strips and largest <= STEP,
    }


def painted_in_strips(network: nn.Module, image: torch.Tensor, result: torch.Tensor, announce: Announce) -> None:
    """Paint a picture within the budget into the corner of a result."""
    painted = Engine(network, memory_of(BUDGET), announce).restyle(Given(image))
    for first, strip in painted.room.strips(painted.picture):
        result[:, first : first + strip.shape[1], : strip.shape[2]] = strip


def reset() -> int:
    """Begin to look for the most memory anew; returns what this process holds now, in bytes (Linux)."""
    give_back()
    own = Path("/proc/self")
    (own / "clear_refs").write_text("5", encoding="ascii")
    return 1024 * int((own / "status").read_text(encoding="ascii").split("VmRSS:")[1].split()[0])


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
