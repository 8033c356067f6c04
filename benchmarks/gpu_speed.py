"""Time training steps on a GPU: `python -m benchmarks.gpu_speed --output benchmarks/results/gpu_speed.json`.

pix2pix (U-Net-256 with batch norm) and CycleGAN (two ResNet-9) at 256 x 256 step in turns: the baseline as
`benchmarks/train/incumbent.py` writes it, and ganstyle with its switches one after the other: bf16 and channels last
alone, with CUDA graphs, with compiled sub-networks, and with both. All step on one batch that lies on the device; the
last one also on what its loader brings (`benchmarks/train/fed.py`). Beside the times: images per second, model FLOPs
per second and their share of what bf16 convolutions reach on the same device in the same run, memory, whether steps
from equal weights give the same losses, and whether a step of ganstyle ever makes the host wait for the device
(PyTorch's own check, set to fail). `--device cpu` is a rehearsal, whose times mean nothing.
"""

import argparse
import json
import shlex
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.inference.timing import interleaved, told
from benchmarks.record import machine
from benchmarks.train.fed import Fed, pictures
from benchmarks.train.incumbent import GAMES
from benchmarks.train.ours import RECIPES, Arm
from benchmarks.train.parts import clock
from benchmarks.train.turns import images
from benchmarks.train_speed import ONE_STEP, flops_of
from ganstyle.nn.blocks import Dropout
from ganstyle.training.loaders import to_device
from ganstyle.training.provenance import commit
from ganstyle.types import Batch

SWITCHES: Mapping[str, tuple[str, ...]] = {
    "ganstyle bf16": ("trainer.compile=false", "trainer.graphs=false"),
    "ganstyle bf16, graphs": ("trainer.compile=false", "trainer.graphs=true"),
    "ganstyle bf16, compiled": ("trainer.compile=true", "trainer.graphs=false"),
    "ganstyle": ("trainer.compile=true", "trainer.graphs=true"),
}
"""What a GPU is given, step by step. `train.py` compiles there by itself, and wants to be asked for bf16 and graphs."""
WHOLE = "ganstyle"
FED = "ganstyle with its loader"
FILES = 96
"""JPEG files a side that the loader reads."""
WARM_UP, STEPS, ROUNDS = 6, 20, 5
"""Steps before timing (graphs are recorded after three), steps of one round, rounds."""
LIKE = 12
"""Steps in which losses are compared."""
AT_ONE, AT_BEST, SHARE = 3.0, 5.0, 0.35
"""Bars: times the baseline's images per second at batch 1, and at the best batch; share of the convolutions' rate."""


def main() -> None:
    """Time what is asked for and write one results file."""
    words = _arguments()
    torch.backends.cudnn.benchmark = True  # for the baseline, too
    rate = conv_rate(words.device)
    result: dict[str, Any] = {
        "command": _command(words),
        "commit": commit(),
        "machine": machine(),
        "torch": torch.__version__,
        "protocol": f"{ROUNDS} rounds in turns of {STEPS} steps each, after {WARM_UP}; medians; the baseline in fp32 "
        "as PyTorch ships (convolutions in TF32, foreach Adam)",
        "bf16_convolution_teraflops": round(rate / 1e12, 1),
        "recipes": {},
    }
    for recipe in words.recipes:
        rows = result["recipes"].setdefault(recipe, {})
        for size in words.batch_sizes:
            rows[f"batch {size}"] = _row(recipe, size, rate, words)
            print(json.dumps({recipe: {f"batch {size}": rows[f"batch {size}"]}}, indent=1), flush=True)
            words.output.write_text(json.dumps(result, indent=2) + "\n")
    result["bars"] = {recipe: bars(rows) for recipe, rows in result["recipes"].items()}
    words.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["bars"], indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/gpu_speed.json"))
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[1, 8, 16, 32])
    parser.add_argument("--arms", nargs="+", choices=[*SWITCHES, FED], default=[*SWITCHES, FED])
    parser.add_argument("--workers", type=int, default=6, help="processes that load pictures, where there is a loader")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    return parser.parse_args()


def _command(words: argparse.Namespace) -> str:
    chosen = {
        "recipes": words.recipes,
        "batch-sizes": words.batch_sizes,
        "arms": words.arms,
        "workers": [words.workers],
    }
    told = (shlex.join(["--" + name, *map(str, values)]) for name, values in chosen.items())
    return " ".join(["python -m benchmarks.gpu_speed", *told, f"--device {words.device}"])


def _row(recipe: str, size: int, rate: float, words: argparse.Namespace) -> dict[str, Any]:
    """Measure one recipe at one batch size, or say that it does not fit."""
    try:
        row = measured(recipe, size, rate, [name for name in words.arms if name != FED], words.device)
        return row | ({FED: with_loader(recipe, size, words.workers, words.device)} if FED in words.arms else {})
    except torch.OutOfMemoryError as error:
        return {"out_of_memory": str(error).splitlines()[0]}


def with_loader(recipe: str, size: int, workers: int, device: str) -> dict[str, Any]:
    """Time the whole of ganstyle on pictures from a disk, in as many steps as the other arms take together."""
    with tempfile.TemporaryDirectory() as folder:
        arm = Arm(recipe, size, "bf16-mixed", SWITCHES[WHOLE] if device == "cuda" else (), device=device)
        fed = Fed(arm, recipe, size, pictures(Path(folder) / "pictures", FILES), workers)
        for _ in range(WARM_UP):
            fed.step()
        return fed.timed(STEPS * ROUNDS)


def conv_rate(device: str) -> float:
    """FLOPs per second of 3 x 3 convolutions in bf16, channels last: 256 channels, 64 x 64 pixels, batch 32."""
    layer = nn.Conv2d(256, 256, 3, padding=1, bias=False).to(device, torch.bfloat16)
    layer.to(memory_format=torch.channels_last)
    x = torch.randn(32, 256, 64, 64, device=device, dtype=torch.bfloat16).to(memory_format=torch.channels_last)
    flops, times = 2 * 9 * 256**2 * 32 * 64**2, []
    with torch.inference_mode():
        for _ in range(12):
            began = clock()
            for _ in range(10):
                layer(x)
            times.append((clock() - began) / 10)
    return flops / statistics.median(times[2:])


def measured(recipe: str, size: int, rate: float, wanted: list[str], device: str) -> dict[str, Any]:
    """Time all arms of a recipe at a batch size in turns."""
    batch: Batch = to_device(images(size), torch.device(device))
    arms: dict[str, Any] = {"incumbent": _on(device, GAMES[recipe]())}
    arms |= {name: Arm(recipe, size, "bf16-mixed", SWITCHES[name], device=device) for name in wanted}
    flops = flops_of(arms["incumbent"].step, batch)
    began, ready, memory = time.monotonic(), {}, {}
    for name, arm in arms.items():
        held = _memory(device, reset=True)
        for _ in range(WARM_UP):
            arm.step(batch)
        clock()
        memory[name] = round((_memory(device) - held) / 1e9, 2)
        ready[name], began = round(time.monotonic() - began, 1), time.monotonic()
    runs = {name: partial(_steps, arm, batch) for name, arm in arms.items()}
    rows = told(interleaved(runs, ROUNDS, clock), "incumbent")
    for name, row in rows.items():
        seconds = row["milliseconds"] / 1000 / STEPS
        row |= {
            "milliseconds": round(1000 * seconds, 3),
            "least_milliseconds": round(row["least_milliseconds"] / STEPS, 3),
            "images_per_second": round(size / seconds, 1),
            "teraflops": round(flops / seconds / 1e12, 1),
            "share_of_convolutions": round(flops / seconds / rate, 3),
            "gigabytes_beyond_what_is_kept": memory[name],
            "seconds_until_ready": ready[name],
        }
    return {
        "gigaflop_per_step": round(flops / 1e9, 1),
        "arms": rows,
        "losses": likeness(recipe, batch, device) if size == 1 else None,
        "waits_for_the_device": {name: waits(arms[name], batch) for name in wanted} if device == "cuda" else {},
    }


def _memory(device: str, *, reset: bool = False) -> int:
    """The most bytes on the device until now, or since this was last asked with `reset`."""
    if device != "cuda":
        return 0
    if reset:
        torch.cuda.reset_peak_memory_stats()
    return torch.cuda.max_memory_allocated()


def _steps(arm: Any, batch: Batch) -> None:
    for _ in range(STEPS):
        arm.step(batch)


def _on(device: str, game: Any) -> Any:
    """Move a baseline's networks to the device; its optimizers hold the same parameters."""
    for network in vars(game).values():
        if isinstance(network, nn.Module):
            network.to(device)
    game.__post_init__()
    return game


def likeness(recipe: str, batch: Batch, device: str) -> dict[str, Any]:
    """Start from the baseline's weights, without dropout: how far losses are off after one step, and on average.

    The first steps go operation by operation, the later ones as graphs, so the average covers both.
    """
    near, baseline = "l1" if recipe == "pix2pix" else "cycle", _on(device, GAMES[recipe]())
    for network in vars(baseline).values():
        for module in network.modules() if isinstance(network, nn.Module) else ():
            if isinstance(module, Dropout):
                module.probability = 0.0
    overrides = (*SWITCHES["ganstyle bf16, graphs"], "generator.dropout=0.0")
    ours = Arm(recipe, len(batch["source"]), "bf16-mixed", overrides, device=device)
    ours.like(baseline)
    pairs = [(_plain(baseline.step(batch)), _plain(ours.step(batch))) for _ in range(LIKE)]
    theirs, own = pairs[0]
    means = [statistics.mean(losses[near] for losses in side) for side in zip(*pairs, strict=True)]
    return {
        "one_step": {term: round(abs(own[term] / theirs[term] - 1), 5) for term in theirs},
        "one_step_met": all(abs(own[term] / theirs[term] - 1) <= ONE_STEP for term in theirs),
        f"mean_{near}_of_{LIKE}_steps": round(abs(means[1] / means[0] - 1), 5),
    }


def _plain(losses: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: float(loss) for name, loss in losses.items()}


def waits(arm: Arm, batch: Batch) -> str:
    """Take a step while waiting for the device is an error; `no`, or what waited."""
    try:
        with _refusing_to_wait():
            arm.step(batch)
    except RuntimeError as error:
        return str(error).splitlines()[0]
    return "no"


@contextmanager
def _refusing_to_wait() -> Iterator[None]:
    clock()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def bars(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Compare ganstyle with the bars: at batch 1, at its best batch per image, and against convolutions."""
    ours = {size: row["arms"][WHOLE] for size, row in rows.items() if WHOLE in row.get("arms", {})}
    if "batch 1" not in ours:
        return {}
    slow = rows["batch 1"]["arms"]["incumbent"]["images_per_second"]
    best = max(ours, key=lambda size: ours[size]["images_per_second"])
    fast, share = ours[best]["images_per_second"], max(row["share_of_convolutions"] for row in ours.values())
    found = {
        "times the baseline at batch 1": (ours["batch 1"]["times_as_fast"], AT_ONE),
        f"times the baseline of batch 1 per image, at {best}": (round(fast / slow, 2), AT_BEST),
        f"times the baseline of the same batch, at {best}": (ours[best]["times_as_fast"], AT_BEST),
        "share of the rate of bf16 convolutions": (share, SHARE),
    }
    return {name: {"value": value, "at_least": bar, "met": value >= bar} for name, (value, bar) in found.items()}


if __name__ == "__main__":
    main()
