"""Time loading one picture: `python -m benchmarks.data_speed --output benchmarks/results/data_speed.json`.

JPEG files of 500 to 1000 pixels become 256 x 256 images in [-1, 1]: load, resize to 286, random crop, flip, normalize.
The incumbent's way (Pillow and torchvision's transforms), ganstyle's own and ganstyle's cache take turns on the same
pictures; the figures are pictures per second of processor time on one thread, medians over rounds, and the medians of
the rounds' ratios, so that a busy machine cancels out.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torchvision import transforms

from benchmarks.record import machine
from ganstyle.data.cache import GIB, Keeping
from ganstyle.data.files import PathFiles
from ganstyle.data.order import drawn
from ganstyle.data.pictures import Pictures, by_short_side
from ganstyle.data.scenes import scene
from ganstyle.data.transforms import Augmentation
from ganstyle.draws import seed_of
from ganstyle.images import Pixels, in_range, planes, read
from ganstyle.training.provenance import commit

RESIZE, CROP = 286, 256
QUALITY = 90
Load = Callable[[int], Any]


def main() -> None:
    """Make the pictures, let the arms take turns, write one results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument(
        "--photographs", type=Path, help="a folder of pictures to make the JPEG files from; else drawn ones"
    )
    parser.add_argument("--count", type=int, default=48, help="JPEG files")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as folder:
        files = write_jpegs(Path(folder) / "jpeg", arguments.count, arguments.photographs)
        seconds = race(arms(files, Path(folder) / "cache"), arguments.count, arguments.rounds)
    result = {
        "command": f"python -m benchmarks.data_speed --count {arguments.count} --rounds {arguments.rounds}"
        + (" --photographs FOLDER" if arguments.photographs else ""),
        "commit": commit(),
        "machine": machine(),
        "load average at the end": round(os.getloadavg()[0], 1),
        "protocol": f"{arguments.count} JPEG files, sides 500 to 1000 px, quality {QUALITY}, 4:2:0, in the page cache; "
        f"to {CROP} px in [-1, 1] from a short side of {RESIZE}; processor time of one thread; medians of "
        f"{arguments.rounds} rounds in which the arms alternate",
        "images per second and core": {
            name: round(arguments.count / statistics.median(times), 1) for name, times in seconds.items()
        },
        "times the incumbent (median, least, greatest of the rounds)": ratios(seconds),
    }
    arguments.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def write_jpegs(folder: Path, count: int, photographs: Path | None) -> list[Path]:
    """Write JPEG files whose longer sides are 500 to 1000 pixels, three by two or two by three."""
    folder.mkdir()
    given = sorted(photographs.iterdir()) if photographs else []
    paths = []
    for number in range(count):
        long = 500 + 500 * number // max(1, count - 1)
        size = (long, long * 2 // 3) if number % 3 else (long * 2 // 3, long)
        pixels = read(given[number % len(given)]) if given else grainy(number)
        picture = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
        paths.append(folder / f"{number:04}.jpg")
        picture.save(paths[-1], quality=QUALITY)
    return paths


def grainy(number: int) -> Pixels:
    """Draw a landscape with the grain that makes a photograph's JPEG as large as it is."""
    large = cv2.resize(scene(number, 96), (1000, 1000), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    grain = np.random.default_rng(number).normal(0, 12, (500, 500, 1)).astype(np.float32)
    pixels: Pixels = np.clip(large + cv2.resize(grain, (1000, 1000))[..., None], 0, 255).astype(np.uint8)
    return pixels


def arms(files: list[Path], cache: Path) -> dict[str, Load]:
    """Every way to load picture `number` of a run."""
    fit = partial(by_short_side, short=RESIZE, least=CROP)
    direct = Pictures(PathFiles(files), fit, budget=0)
    cached = Pictures(PathFiles(files), fit, budget=0, keeping=Keeping(cache, GIB))
    return {
        "incumbent: Pillow, torchvision's transforms": incumbent(files),
        "without a cache": partial(load, direct),
        "with a cache": partial(load, cached),
        "with a cache, as bytes that the device scales": partial(load_bytes, cached),
    }


def incumbent(files: list[Path]) -> Load:
    """Load as users of the incumbent do."""
    chain = transforms.Compose(
        [
            transforms.Resize(RESIZE, transforms.InterpolationMode.BICUBIC),
            transforms.RandomCrop(CROP),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ]
    )

    def load_one(number: int) -> Any:
        with Image.open(files[number % len(files)]) as picture:
            return chain(picture.convert("RGB"))

    return load_one


AUGMENTATION = Augmentation(CROP)


def load_bytes(pictures: Pictures, number: int) -> torch.Tensor:
    """Load as `Unpaired` loads one side, seeds and order included."""
    pixels = pictures[drawn(number, len(pictures), 0, "source")]
    return planes(AUGMENTATION(seed_of(0, "augment source", number), pixels))


def load(pictures: Pictures, number: int) -> torch.Tensor:
    """The same, scaled to [-1, 1] on this core."""
    return in_range(load_bytes(pictures, number))


def race(loads: dict[str, Load], count: int, rounds: int) -> dict[str, list[float]]:
    """Return the processor seconds that every arm takes in every round for all pictures once."""
    seconds: dict[str, list[float]] = {name: [] for name in loads}
    for turn in range(-1, rounds):
        for name, load_one in loads.items():
            began = time.process_time()
            for number in range(max(turn, 0) * count, max(turn, 0) * count + count):
                load_one(number)
            if turn >= 0:  # the first round warms up
                seconds[name].append(time.process_time() - began)
    return seconds


def ratios(seconds: dict[str, list[float]]) -> dict[str, list[float]]:
    """Compare every arm with the first one, round by round."""
    first, *others = seconds
    found = {name: [a / b for a, b in zip(seconds[first], seconds[name], strict=True)] for name in others}
    return {name: [round(f(r), 2) for f in (statistics.median, min, max)] for name, r in found.items()}


if __name__ == "__main__":
    main()
