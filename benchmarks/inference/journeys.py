"""What a user waits for: a folder of pictures, and one picture from a fresh process."""

import contextlib
import io
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from benchmarks.inference.subjects import Subject
from benchmarks.inference.timing import interleaved, ratios
from ganstyle import decode, images
from ganstyle.backends.model import Model
from ganstyle.backends.opened import opened
from ganstyle.backends.padding import grown
from ganstyle.cli.stylize import restyle_all
from ganstyle.stylize.batch import jobs
from ganstyle.stylize.controls import Controls
from ganstyle.stylize.files import Studio
from ganstyle.stylize.memory import default_memory

QUALITY = 92
"""Of the JPEGs that the folder holds, as cameras and the web have them."""
SIDE = 512
MARK = " torch\n"
"""How `python -X importtime` ends the line of PyTorch's import."""


def copies(photographs: Sequence[Path], place: Path, suffix: str) -> Path:
    """Put photographs into a folder in one format."""
    folder = place / suffix.removeprefix(".")
    folder.mkdir(parents=True, exist_ok=True)
    for path in photographs:
        target = folder / f"{path.stem}{suffix}"
        if not target.exists():
            Pillow.fromarray(decode.read(path)).save(target, quality=QUALITY)  # which a PNG does not have
    return folder


def folder_share(subject: Subject, arm: str, folder: Path, output: Path, rounds: int) -> dict[str, Any]:
    """Say which share of the network's own pace `ganstyle stylize FOLDER` keeps, decoding and encoding included.

    Alone, the network paints the same pictures, decoded and padded beforehand; program and model are loaded for both.
    `processor_share` is the same by the processors' time, which what else runs on a machine hardly touches: what is
    left for the network where all of them are busy with this folder.
    """
    model = opened(subject.file(arm))
    if not isinstance(model, Model):
        raise TypeError(f"{subject.file(arm)} is an artifact")
    todo = jobs([str(folder)], str(output))
    ready = [_ready(job.source, model.card.size_multiple) for job in todo]
    studio = Studio(model, str(model.path), Controls(), default_memory())

    def alone() -> None:
        for image in ready:
            model.compute(image, None)

    def whole() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            if restyle_all(studio, todo, force=True):
                raise RuntimeError("a picture could not be restyled")

    spent: dict[str, list[float]] = {"alone": [], "folder": []}
    ways = {name: _noting(spent[name], way) for name, way in (("alone", alone), ("folder", whole))}
    taken = interleaved(ways, rounds, time.perf_counter)
    each = {name: 1000 * statistics.median(times) / len(todo) for name, times in taken.items()}
    share = statistics.median(ratios(taken["alone"], taken["folder"]))
    return {
        "network": subject.name,
        "arm": arm,
        "format": folder.name,
        "pictures": len(todo),
        "alone_milliseconds": round(each["alone"], 1),
        "folder_milliseconds": round(each["folder"], 1),
        "share": round(share, 3),
        "processor_share": round(statistics.median(ratios(spent["alone"], spent["folder"])), 3),
        "rounds": rounds,
    }


def _noting(spent: list[float], way: Callable[[], None]) -> Callable[[], None]:
    """Have a way note how many seconds of the processors it took."""

    def noted() -> None:
        began = time.process_time()
        way()
        spent.append(time.process_time() - began)

    return noted


def _ready(path: Path, multiple: int) -> Any:
    image = images.to_tensor(decode.read(path)).numpy()
    return np.ascontiguousarray(grown(image, multiple)[None])


def start(model: Path, photograph: Path, place: Path, processors: set[int]) -> tuple[float, float]:
    """Restyle one picture in a fresh process; seconds of wall time, and of processors' time."""
    command = _command(model, photograph, place)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, preexec_fn=lambda: _stay_on(processors))
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def imports_torch(model: Path, photograph: Path, place: Path) -> bool:
    """Say whether restyling a picture imports PyTorch."""
    command = _command(model, photograph, place)
    told = subprocess.run([command[0], "-X", "importtime", *command[1:]], check=True, capture_output=True, text=True)
    return MARK in told.stderr


def _command(model: Path, photograph: Path, place: Path) -> list[str]:
    output = place / "start.png"
    backend = "torch" if model.is_dir() else "auto"
    words = ["stylize", photograph, "--model", model, "--backend", backend, "--output", output, "--force"]
    return [sys.executable, "-m", "ganstyle.cli", *map(str, words)]


def _stay_on(processors: set[int]) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, processors)


def square(photograph: Path, place: Path) -> Path:
    """Cut the middle of a photograph to what the start is timed on."""
    target = place / f"square{SIDE}.png"
    if not target.exists():
        pixels = decode.read(photograph)
        top, left = (pixels.shape[0] - SIDE) // 2, (pixels.shape[1] - SIDE) // 2
        Pillow.fromarray(pixels[top : top + SIDE, left : left + SIDE]).save(target)
    return target
