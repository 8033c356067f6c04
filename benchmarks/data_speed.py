"""Time loading one picture: `python -m benchmarks.data_speed --output benchmarks/results/data_speed.json`.

JPEG files of 500 to 1000 pixels become 256 x 256 images in [-1, 1]: load, resize to 286, random crop, flip, normalize.
The incumbent's way (Pillow and torchvision's transforms), ganstyle's own and ganstyle's cache take turns on the same
pictures; the figures are pictures per second of processor time on one thread, medians over rounds, and the medians of
the rounds' ratios, so that a busy machine cancels out. How far the faster way is from a whole decode shrunk by area is
measured as well, and how many pairs a second one worker of a loader hands over, as a training run asks for them.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms

from benchmarks.record import machine
from ganstyle.data.cache import GIB, Keeping
from ganstyle.data.files import PathFiles
from ganstyle.data.order import drawn
from ganstyle.data.pictures import Pictures, by_short_side
from ganstyle.data.scenes import scene
from ganstyle.data.sized import sized
from ganstyle.data.tolerant import Tolerant
from ganstyle.data.transforms import Augmentation
from ganstyle.data.unpaired import Unpaired
from ganstyle.draws import seed_of
from ganstyle.images import Pixels, header, in_range, planes, read, resize
from ganstyle.training.loaders import Loaded, Numbers
from ganstyle.training.provenance import commit

RESIZE, CROP = 286, 256
QUALITY = 90
TIMES = (1.1, 1.17, 1.3, 1.45, 1.6, 1.8, 2.0, 2.33, 2.7, 3.0, 3.3, 4.0)
BATCHES = (1, 4, 16)
Load = Callable[[int], Any]


def main() -> None:
    """Make the pictures, let the arms take turns, write one results file."""
    arguments = _arguments()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as folder:
        files = write_jpegs(Path(folder) / "jpeg", arguments.count, arguments.photographs)
        seconds = race(arms(files, Path(folder) / "cache"), arguments.count, arguments.rounds)
        handed_over = loader_rates(files, Path(folder) / "cache", arguments.pairs)
        as_loaded = summary(decibels_as_loaded(files))
    result = {
        "command": f"python -m benchmarks.data_speed --count {arguments.count} --rounds {arguments.rounds}"
        + (f" --photographs {worded(arguments.photographs)}" if arguments.photographs else ""),
        "photographs": len(arguments.photographs) or "drawn",
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
        "decibels from a whole decode shrunk by area, where a picture is so many times too large (mean, least)": {
            "as loaded above": as_loaded,
            **{str(times): summary(decibels(times, arguments.photographs, arguments.count)) for times in TIMES},
        },
        "pairs a second that one worker hands over, by the clock": handed_over,
    }
    arguments.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument(
        "--photographs", type=Path, nargs="+", default=[], help="pictures to make JPEG files from; else drawn ones"
    )
    parser.add_argument("--count", type=int, default=48, help="JPEG files")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--pairs", type=int, default=4000, help="that a worker hands over with a cache, and a tenth of them without"
    )
    return parser.parse_args()


def worded(photographs: Sequence[Path]) -> str:
    """Name photographs by their folders: `kodak/*.png`."""
    return " ".join(sorted({f"{path.resolve().parent.name}/*{path.suffix}" for path in photographs}))


def write_jpegs(folder: Path, count: int, photographs: Sequence[Path]) -> list[Path]:
    """Write JPEG files whose longer sides are 500 to 1000 pixels, three by two or two by three."""
    folder.mkdir()
    paths = []
    for number in range(count):
        long = 500 + 500 * number // max(1, count - 1)
        size = (long, long * 2 // 3) if number % 3 else (long * 2 // 3, long)
        picture = Image.fromarray(picked(photographs, number)).resize(size, Image.Resampling.LANCZOS)
        paths.append(folder / f"{number:04}.jpg")
        paths[-1].write_bytes(jpeg(picture))
    return paths


def picked(photographs: Sequence[Path], number: int) -> Pixels:
    """Take a photograph, or draw one where there are none."""
    return read(photographs[number % len(photographs)]) if photographs else grainy(number)


def jpeg(picture: Image.Image) -> bytes:
    """Compress a picture, colors at half resolution."""
    file = BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


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


def decibels_as_loaded(files: Sequence[Path]) -> list[float]:
    """Compare what the arms are given with whole pictures shrunk by area."""
    return [distance(file.read_bytes(), RESIZE / min(header(file)[:2])) for file in files]


def decibels(times: float, photographs: Sequence[Path], count: int) -> list[float]:
    """The same for photographs in their own size, each once, that are so many times too large."""
    numbers = range(len(photographs) or count)
    return [distance(jpeg(Image.fromarray(picked(photographs, number))), 1 / times) for number in numbers]


def distance(content: bytes, scale: float) -> float:
    """Return the decibels between the picture as it is loaded and decoded whole, then shrunk by area."""
    with Image.open(BytesIO(content)) as picture:
        whole = np.array(picture.convert("RGB"))
    height, width = round(whole.shape[0] * scale), round(whole.shape[1] * scale)
    error = sized(content, "it", height, width) - resize(whole, height, width).astype(float)
    return float(10 * np.log10(255**2 / max(np.mean(error**2), 1e-9)))


def summary(found: Sequence[float]) -> list[float]:
    """Return mean and least."""
    return [round(statistics.mean(found), 1), round(min(found), 1)]


def loader_rates(files: list[Path], cache: Path, most: int) -> dict[str, float]:
    """Let one worker hand over pairs to a process that does nothing else, in batches as training asks for them."""
    fit = partial(by_short_side, short=RESIZE, least=CROP)
    found = {}
    for name, keeping, pairs in (("with a cache", Keeping(cache, GIB), most), ("without a cache", None, most // 10)):
        pictures = Tolerant(Pictures(PathFiles(files), fit, budget=0, keeping=keeping), "stop")
        examples = Loaded(Unpaired(pictures, pictures, AUGMENTATION, AUGMENTATION, 0))
        for batch in BATCHES:
            numbers = Numbers(0, pairs, batch)
            loader = DataLoader(examples, batch_sampler=numbers, num_workers=1, generator=torch.Generator())
            found[f"{name}, batches of {batch}"] = round(pace(loader, pairs), 1)
    return found


def pace(batches: Iterable[Any], pairs: int) -> float:
    """Return how many pairs a second come after the first tenth."""
    seen, began = 0, 0.0
    for batch in batches:
        seen += len(batch["seed"])
        if not began and seen >= pairs // 10:
            first, began = seen, time.perf_counter()
    return (seen - first) / (time.perf_counter() - began)


def ratios(seconds: dict[str, list[float]]) -> dict[str, list[float]]:
    """Compare every arm with the first one, round by round."""
    first, *others = seconds
    found = {name: [a / b for a, b in zip(seconds[first], seconds[name], strict=True)] for name in others}
    return {name: [round(f(r), 2) for f in (statistics.median, min, max)] for name, r in found.items()}


if __name__ == "__main__":
    main()
