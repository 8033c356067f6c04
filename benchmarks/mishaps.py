"""Runs that something happens to: each in a process forked from this one, so that the imports are paid for once."""

import hashlib
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image as Pillow

from benchmarks import loaded_run
from benchmarks.forked import forked
from ganstyle.data import pictures, tolerant
from ganstyle.training import checkpoint, main
from ganstyle.training import run as running
from ganstyle.training.callbacks import validation
from ganstyle.training.system import System

COMMAND = (
    "train.py",
    "name=faults",
    "data=unpaired",
    "method=perceptual_gan",
    "perceptual=random",
    "generator=light",
    "generator.channels=4",
    "generator.blocks=1",
    "discriminator=patchgan_light",
    "discriminator.channels=4",
    "discriminator.layers=1",
    "data.source_resize=40",
    "data.target_resize=40",
    "data.crop=32",
    "data.view=32",
    "data.val=4",
    "trainer.accelerator=cpu",
    "trainer.batch_size=2",
    "trainer.workers=0",
    "trainer.max_images=32",
    "callbacks.checkpoints.every=6",
    "callbacks.validation.every=8",
    "callbacks.samples.every=16",
)
"""32 images of 32 pixels: sixteen batches, six checkpoints, four validations."""
TRAINED = ("images_seen", "turns", "networks", "generators", "optimizers", "ranks", "best", "scores")
WATCHED: Mapping[str, tuple[Any, str]] = {
    "training": (System, "training_step"),
    "checkpoint write": (checkpoint, "save"),
    "validation": (validation, "validate"),
    "cache building": (pictures, "cached"),
    "conclusion": (running, "conclude"),
    **loaded_run.WATCHED,
}
"""Phases of a run, and the function that is at work in each."""
Sabotage = Callable[[], None]


class Ended(NamedTuple):
    """How a run ended, and what it said."""

    code: int
    """The exit code, or minus the signal that killed it."""
    said: str


def nothing() -> None:
    """Let a run be."""


def run(folder: Path, *words: str, sabotage: Sabotage = nothing) -> Ended:
    """Train in a process of its own, and wait for its end."""
    return wait(begin(folder, *words, sabotage=sabotage), folder)


def begin(folder: Path, *words: str, sabotage: Sabotage = nothing) -> int:
    """Fork a process that trains with its runs, cache and pictures under `folder`; return its number."""

    def train() -> int:
        _speak_into(folder / "said.txt")
        torch.set_num_threads(1)  # the threads of the parent are not there
        warnings.filterwarnings("ignore", message="This DataLoader will create")  # more processes than cores
        sides = [f"data.{side}={folder / side}" for side in ("source", "target")]
        sys.argv = [*COMMAND, f"runs={folder / 'runs'}", *sides, f"data.cache={folder / 'cache'}", *words]
        sabotage()
        return main.main()

    return forked(train)


def _speak_into(path: Path) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(file, stream)
    sys.stdout, sys.stderr = os.fdopen(1, "w", buffering=1), os.fdopen(2, "w", buffering=1)


def wait(process: int, folder: Path) -> Ended:
    """Wait for a process that `begin` started."""
    _, status = os.waitpid(process, 0)
    return Ended(os.waitstatus_to_exitcode(status), (folder / "said.txt").read_text())


def paint(folder: Path) -> None:
    """Draw a few pictures of unequal sizes, the same ones whenever it is called."""
    random = np.random.default_rng(0)
    for side, count in (("source", 7), ("target", 5)):
        (folder / side).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 255, (37 + number, 45, 3), dtype=np.uint8)
            Pillow.fromarray(pixels).save(folder / side / f"{number}.png")


def newest(folder: Path) -> Path:
    """The newest run under `folder`."""
    return max((folder / "runs" / "faults").iterdir(), key=lambda path: path.name)


def result(folder: Path) -> str:
    """Hash all that a run trained, to the bit: networks, averages, optimizers, scores, random numbers, the artifact.

    Python's own random numbers are left out: no part of a run draws them, but type checks in tests do.
    """
    last = newest(folder)
    state = checkpoint.load(last / "checkpoints" / "last.ckpt")
    digest = hashlib.sha256()
    for own in state["ranks"]:
        del own["random"]["python"]
    _add(digest, {key: state[key] for key in TRAINED})
    digest.update((last / "artifact" / "weights.safetensors").read_bytes())
    return digest.hexdigest()


def _add(digest: Any, value: Any) -> None:
    if isinstance(value, torch.Tensor):
        digest.update(value.detach().contiguous().numpy().tobytes())
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            digest.update(str(key).encode())
            _add(digest, value[key])
    elif isinstance(value, list | tuple):
        for part in value:
            _add(digest, part)
    else:
        digest.update(repr(value).encode())


# Watching ------------------------------------------------------------------------------------------------------------


def measure(phase: str, file: Path) -> None:
    """Write down how many seconds every call of a phase's function takes; for a process that will not live on."""
    owner, name = WATCHED[phase]
    real = getattr(owner, name)
    file.touch()

    def measured(*words: Any, **options: Any) -> Any:
        began = time.monotonic()
        try:
            return real(*words, **options)
        finally:
            with file.open("a") as lines:
                lines.write(f"{time.monotonic() - began}\n")

    setattr(owner, name, measured)


def before_call(phase: str, call: int, action: Callable[[], None]) -> None:
    """Do something before a certain call of a phase's function; for a process that will not live on."""
    owner, name = WATCHED[phase]
    real, left = getattr(owner, name), [call]

    def watched(*words: Any, **options: Any) -> Any:
        if left[0] == 0:
            action()
        left[0] -= 1
        return real(*words, **options)

    setattr(owner, name, watched)


def killed(
    folder: Path, phase: str, call: int, delay: float, *words: str, number: signal.Signals = signal.SIGKILL
) -> Ended:
    """Train, and send a signal from outside `delay` seconds after a certain call of a phase's function began."""
    reading, writing = os.pipe()
    process = begin(folder, *words, sabotage=lambda: before_call(phase, call, lambda: _wave(writing)))
    os.close(writing)
    if os.read(reading, 1):
        time.sleep(delay)
        os.kill(process, number)
    os.close(reading)
    return wait(process, folder)


def _wave(writing: int) -> None:
    os.write(writing, b".")


def hurry() -> None:
    """Do not wait between two tries of reading a picture."""
    tolerant.WAIT = 0.0


def read_every_time() -> None:
    """Keep no picture in memory, as if the collection were large."""
    hurry()
    real = pictures.Pictures.__init__

    def forgetful(self: Any, *words: Any, **options: Any) -> None:
        real(self, *words[:2], **options | {"budget": 0})

    pictures.Pictures.__init__ = forgetful  # type: ignore[method-assign]
