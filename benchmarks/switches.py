"""Time a training step under each switch of `conf/trainer`, interleaved: `python -m benchmarks.switches --output FILE`.

Every arm is the same game (pix2pix, batch of four at 128 px) with switches turned from the plain state: fp32,
contiguous, eager, unfused. The figure is the ratio of its step time to that of the plain arm next to it, so that a busy
machine cancels out.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks.record import machine
from ganstyle.methods.pix2pix import Pix2Pix
from ganstyle.nn.patchgan import PatchGAN
from ganstyle.nn.unet import UNet
from ganstyle.training.provenance import commit
from ganstyle.types import Batch

SIDE, IMAGES, WARM_UP = 128, 4, 2
ARMS: Mapping[str, Mapping[str, bool]] = {
    "plain": {},
    "fused": {"fused": True},
    "bf16": {"bf16": True},
    "channels_last": {"channels_last": True},
    "compiled": {"compiled": True},
    "fused and bf16": {"fused": True, "bf16": True},
    "fused, bf16 and channels_last": {"fused": True, "bf16": True, "channels_last": True},
}


def main() -> None:
    """Time every arm and write one results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    times = timed({name: stepper(**switches) for name, switches in ARMS.items()}, arguments.rounds)
    ratios = {name: [mine / plain for mine, plain in zip(times[name], times["plain"], strict=True)] for name in ARMS}
    result = {
        "command": f"python -m benchmarks.switches --rounds {arguments.rounds} --threads {arguments.threads}",
        "commit": commit(),
        "machine": machine(),
        "torch": torch.__version__,
        "protocol": f"pix2pix, U-Net-128 of 32 channels and PatchGAN, batch {IMAGES} at {SIDE} px; "
        "ratio of step times to the plain arm of the same round: median, least, greatest",
        "ratios": {n: [round(f(r), 3) for f in (statistics.median, min, max)] for n, r in ratios.items()},
    }
    arguments.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["ratios"], indent=2))


def timed(steps: Mapping[str, Callable[[], None]], rounds: int) -> Mapping[str, list[float]]:
    """Run every step once a round, the first rounds uncounted."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + WARM_UP):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            if number >= WARM_UP:
                times[name].append(time.perf_counter() - began)
    return times


def stepper(
    *, fused: bool = False, bf16: bool = False, channels_last: bool = False, compiled: bool = False
) -> Callable[[], None]:
    """Make one training step of both players under the given switches."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    method = Pix2Pix(
        UNet(depth=7, channels=32), PatchGAN(in_channels=6, channels=32, norm="batch"), adversarial="vanilla"
    ).to(device)
    if channels_last:
        method.to(memory_format=torch.channels_last)
    if compiled:
        method.generator.compile()
        method.discriminator.compile()
    adams = [torch.optim.Adam(player.network.parameters(), fused=fused) for player in method.players]
    images = torch.rand(2, IMAGES, 3, SIDE, SIDE, device=device) * 2 - 1
    batch: Batch = {"source": images[0], "target": images[1], "seed": torch.arange(IMAGES)}

    def step() -> None:
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            out = method(batch)
            for player, adam in zip(method.players, adams, strict=True):
                adam.zero_grad()
                total: Any = sum(player.losses(out).values())
                total.backward()
                adam.step()
        if device == "cuda":
            torch.cuda.synchronize()

    return step


if __name__ == "__main__":
    main()
