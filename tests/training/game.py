"""A small game for tests: tiny networks, six pictures, and ways to run it, in this process or in one of its own."""

import io
import logging
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import torch

from ganstyle.methods.base import Method
from ganstyle.methods.pix2pix import Pix2Pix
from ganstyle.nn.light import Light
from ganstyle.nn.patchgan import PatchGAN
from ganstyle.training.main import main
from ganstyle.training.system import System

TESTS = Path(__file__).resolve().parents[1]
REPOSITORY = TESTS.parent
WEIGHTS = {"discriminator": {"real": 0.5, "fake": 0.5}, "generator": {"adversarial": 1.0, "l1": 10.0}}
LAUNCHERS = ("GANSTYLE", "PL_", "LOCAL_RANK", "NODE_RANK", "RANK", "WORLD_SIZE", "MASTER_", "SLURM_", "WANDB_")


def pix2pix() -> Pix2Pix:
    """A pix2pix of a few thousand parameters."""
    torch.manual_seed(0)
    return Pix2Pix(Light(channels=4, blocks=1), PatchGAN(in_channels=6, channels=4, layers=1), adversarial="vanilla")


def system(method: Method[Any] | None = None, **knobs: Any) -> System:
    """Its system, with plain Adam and no averages unless asked."""
    knobs = {"total_images": 100, "epoch_images": 8, "ema": 0} | knobs
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.999))
    optimizers = {"generator": adam, "discriminator": adam}
    return System(method or pix2pix(), optimizers, knobs.pop("weights", WEIGHTS), **knobs)


NETWORKS = (
    "generator=light",
    "generator.channels=4",
    "generator.blocks=1",
    "discriminator=patchgan_light",
    "discriminator.channels=4",
    "discriminator.layers=1",
)
SMALL = ("experiment=smoke", *NETWORKS, "data.scenes=6", "data.held_out=2")
"""24 images of 32 px in batches of two; validation, samples and checkpoints every 8 images."""
UNPAIRED = ("data=toy_unpaired", "perceptual=random")


class Ended(NamedTuple):
    """How a command ended, and what a user saw of it."""

    code: int
    out: str
    err: str


def here(folder: Path, *overrides: str, base: tuple[str, ...] = SMALL) -> Ended:
    """Run train.py's entry in this process, its runs under `folder`.

    Hydra closes every handler of logs there is, and that of absl, which OpenVINO imports, closes pytest's own stream.
    """
    arguments = ["train.py", *base, f"runs={folder}", *overrides]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(LAUNCHERS)}
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", arguments),
        patch.dict(os.environ, kept, clear=True),
        patch.object(logging, "_handlerList", []),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = main()
    return Ended(code, out.getvalue(), err.getvalue())


def train(folder: Path, *overrides: str, **options: Any) -> Ended:
    """Run train.py in a process of its own and wait."""
    process = start(folder, *overrides, **options)
    out, err = process.communicate(timeout=300)
    return Ended(process.returncode, out, err)


def start(
    folder: Path,
    *overrides: str,
    base: tuple[str, ...] = SMALL,
    env: dict[str, str] | None = None,
    launcher: tuple[str, ...] = (),
) -> "subprocess.Popen[str]":
    """Start train.py in a session of its own, its runs under `folder`."""
    settings = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "PYTHONPATH": str(TESTS), **(env or {})}
    command = [sys.executable, *launcher, str(REPOSITORY / "train.py"), *base, f"runs={folder}", *overrides]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(LAUNCHERS)}
    return subprocess.Popen(
        command,
        cwd=folder,
        env=clean | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def fault(how: str, at: int, **more: int | str) -> tuple[str, ...]:
    """Overrides that make something go wrong before the batch that begins at image number `at`."""
    named = {"at": at, "how": how, **more}
    return "+callbacks.fault._target_=training.faults.Fault", *(f"+callbacks.fault.{k}={v}" for k, v in named.items())


def newest(folder: Path, name: str = "smoke") -> Path:
    """The newest run under `folder`."""
    return max((folder / name).iterdir(), key=lambda path: path.name)


def checkpoint(run: Path, name: str = "last") -> dict[str, Any]:
    """A run's checkpoint."""
    state: dict[str, Any] = torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)
    return state


TRAINED = ("images_seen", "turns", "networks", "generators", "optimizers", "ranks", "best", "scores")
"""What an interrupted and an uninterrupted run must agree on."""


def differences(a: Any, b: Any, place: str = "") -> list[str]:
    """Where two nested states are not the same to the bit."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return [] if a.dtype == b.dtype and torch.equal(a, b) else [place]
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return [found for key in a for found in differences(a[key], b[key], f"{place}/{key}")]
    if isinstance(a, list | tuple) and isinstance(b, list | tuple) and len(a) == len(b):
        return [found for n, pair in enumerate(zip(a, b, strict=True)) for found in differences(*pair, f"{place}/{n}")]
    return [] if a == b else [place]


def drift(run: Path, other: Path) -> list[str]:
    """Where the last checkpoints of two runs differ in what was trained.

    Python's own random numbers are left out where the type checks of the tests draw from them.
    """
    states = [checkpoint(folder) for folder in (run, other)]
    found = differences(*({key: state[key] for key in TRAINED} for state in states))
    return [place for place in found if "/random/python" not in place]
