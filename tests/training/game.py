"""A small game for tests: tiny networks, eight pictures, and a configuration to run it from a command line."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ganstyle.methods.pix2pix import Pix2Pix
from ganstyle.nn.light import Light
from ganstyle.nn.patchgan import PatchGAN
from ganstyle.training.system import System

REPOSITORY = Path(__file__).resolve().parents[2]
WEIGHTS = {"discriminator": {"real": 0.5, "fake": 0.5}, "generator": {"adversarial": 1.0, "l1": 10.0}}


def pix2pix() -> Pix2Pix:
    """A pix2pix of a few thousand parameters."""
    torch.manual_seed(0)
    return Pix2Pix(Light(channels=4, blocks=1), PatchGAN(in_channels=6, channels=4, layers=1), adversarial="vanilla")


def system(method: nn.Module | None = None, **knobs: Any) -> System:
    """Its system, with plain Adam and no averages unless asked."""
    knobs = {"total_images": 100, "epoch_images": 8, "ema": 0} | knobs
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.999))
    optimizers = {"generator": adam, "discriminator": adam}
    return System(method or pix2pix(), optimizers, knobs.pop("weights", WEIGHTS), **knobs)


SMALL = (
    "experiment=smoke",
    "generator.channels=4",
    "generator.blocks=1",
    "discriminator.channels=4",
    "discriminator.layers=1",
    "data.scenes=6",
    "data.held_out=2",
)


def train(folder: Path, *overrides: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run train.py in a process of its own and wait."""
    process = start(folder, *overrides, **options)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def start(folder: Path, *overrides: str, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
    """Start train.py in a process of its own, its runs under `folder`."""
    settings = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "PYTHONWARNINGS": "ignore", **(env or {})}
    command = [sys.executable, str(REPOSITORY / "train.py"), *SMALL, f"runs={folder}", *overrides]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("GANSTYLE", "PL_", "LOCAL_RANK"))}
    return subprocess.Popen(
        command, cwd=folder, env=clean | settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def newest(folder: Path, name: str = "smoke") -> Path:
    """The newest run under `folder`."""
    return max((folder / name).iterdir(), key=lambda path: path.name)


def checkpoint(run: Path, name: str = "last") -> dict[str, Any]:
    """A run's checkpoint."""
    state: dict[str, Any] = torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)
    return state


def equal(a: Any, b: Any) -> bool:
    """Whether two nested states are the same to the bit."""
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)
