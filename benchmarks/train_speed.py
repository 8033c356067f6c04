"""Time training against the incumbent: `python -m benchmarks.train_speed --output benchmarks/results/train_speed.json`.

pix2pix (U-Net-256 with batch norm) and CycleGAN (two ResNet-9) at 256 x 256 step in turns: the baseline as
`benchmarks/train/incumbent.py` writes it, ganstyle in fp32, and ganstyle as `train.py` runs it with
trainer.precision=auto, each in a process of its own with the settings its users have (`benchmarks/train/turns.py`).
Figures are ratios to the baseline of the same round, so that a busy machine cancels out. Beside them: model FLOPs per
second and their share of what the machine's own convolutions reach in that precision, where the time of a step goes,
what loading a pair takes, peak memory, and whether the arithmetic is the same.
"""

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import data_speed
from benchmarks.inference.timing import interleaved, told
from benchmarks.record import machine
from benchmarks.train.incumbent import GAMES
from benchmarks.train.ours import RECIPES, SIDE, Arm
from benchmarks.train.parts import clock
from benchmarks.train.turns import BASELINE, OURS, Turns, images
from ganstyle.training.provenance import commit
from ganstyle.types import Batch

BARS = {"pix2pix": 1.6, "cyclegan": 1.5}
"""Times the baseline's images per second, at batch 1, on a processor with bf16 instructions."""
ONE_STEP, MANY_STEPS, STEPS = 0.01, 0.005, 60
"""How far a loss may be from the baseline's after one step, the mean L1 over so many steps, as a share."""
ROUNDS = {"pix2pix": 8, "cyclegan": 4}
PEAKS = {"fp32": torch.float32, "bf16": torch.bfloat16}


def main() -> None:
    """Measure what is asked for and put it into the results file."""
    words = _arguments()
    torch.set_num_threads(words.threads)
    kept = json.loads(words.output.read_text()) if words.output.exists() else {}
    found = kept.get("recipes", {})
    for recipe in words.recipes:
        for size in words.batch_sizes:
            found.setdefault(recipe, {})[f"batch {size}"] = measured(
                recipe, size, words.threads, words.rounds or ROUNDS[recipe], words.arms
            )
            print(json.dumps({recipe: found[recipe]}, indent=2), flush=True)
    result = {
        "command": f"python -m benchmarks.train_speed --threads {words.threads}",
        "machine": machine(),
        "torch": torch.__version__,
        "protocol": f"{SIDE} x {SIDE} pixels, wall time of whole steps in turns; times_as_fast: median over the rounds "
        "of the ratio to the incumbent's step of the same round; peak_gigaflops: the most that 3 x 3 convolutions "
        "reached in any round; seconds_by_part: three steps on their own, where the rest is forward passes and losses "
        "of the incumbent, and what the system does around the method of ganstyle; CycleGAN's cycle loss is compared "
        "over 6 steps",
        "milliseconds_to_load_a_pair": loading(),
        "recipes": found,
    }
    words.output.write_text(json.dumps(result, indent=2) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/train_speed.json"))
    parser.add_argument(
        "--recipes", nargs="*", choices=RECIPES, default=list(RECIPES), help="none: measure loading alone"
    )
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--arms", nargs="+", choices=OURS, default=list(OURS), help="beside the baseline")
    parser.add_argument("--rounds", type=int, help="instead of 8 for pix2pix, 4 for CycleGAN")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args()


def measured(recipe: str, size: int, threads: int, rounds: int, arms: Sequence[str] = tuple(OURS)) -> dict[str, Any]:
    """Time arms of a recipe in turns, and say what is behind the figures."""
    batch = images(size)
    same = likeness(recipe, batch) if size == 1 else {}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:  # whose memory the arms may want
        flops = alone.submit(_flops_of_baseline, recipe, batch).result()
    with Turns(recipe, size, threads, arms) as turns:
        peak: dict[str, float] = {}
        convolving = {f"{name} peak": partial(_note, peak, name) for name in PEAKS}
        rows = told(interleaved(turns.ways | convolving, rounds, clock), BASELINE)
        rows = {name: row for name, row in rows.items() if name not in convolving}
        for name, row in rows.items():
            gigaflops = flops / row["milliseconds"] / 1e6
            row |= {
                "images_per_second": round(1000 * size / row["milliseconds"], 3),
                "gigaflops": round(gigaflops, 1),
                "share_of_peak": round(gigaflops / peak["bf16" if name == "ganstyle" else "fp32"], 3),
                "peak_gigabytes": turns.ask(name, "peak"),
            }
            row["seconds_by_part"] = turns.ask(name, "split")
    found = {
        "commit": commit(),
        "load": round(os.getloadavg()[0], 1),
        "gigaflop_per_step": round(flops / 1e9, 1),
        "peak_gigaflops": peak,
        "arms": rows,
        "arithmetic": same,
    }
    if size == 1:
        reached = rows["ganstyle"]["times_as_fast"]
        found["bar"] = {"times_as_fast": reached, "at_least": BARS[recipe], "met": reached >= BARS[recipe]}
    return found


def loading(count: int = 24, rounds: int = 5) -> dict[str, float]:
    """What a pair of pictures takes a loading process, by the incumbent's way and by ours, in turns (`data_speed`)."""
    with tempfile.TemporaryDirectory() as folder:
        files = data_speed.write_jpegs(Path(folder) / "jpeg", count, [])
        seconds = data_speed.race(data_speed.arms(files, Path(folder) / "cache"), count, rounds)
    return {name: round(2000 * statistics.median(times) / count, 2) for name, times in seconds.items()}


def flops_of(step: Callable[[Batch], object], batch: Batch) -> int:
    """Count the floating-point operations of one step, forward and backward."""
    counter = FlopCounterMode(display=False)
    with counter:
        step(batch)
    total: int = counter.get_total_flops()
    return total


def _flops_of_baseline(recipe: str, batch: Batch) -> int:
    return flops_of(GAMES[recipe]().step, batch)


def likeness(recipe: str, batch: Batch) -> dict[str, Any]:
    """Start both precisions from the baseline's weights: losses of one step, and the mean L1 over many."""
    near = "l1" if recipe == "pix2pix" else "cycle"
    steps = STEPS if recipe == "pix2pix" else STEPS // 10
    baseline = GAMES[recipe]()
    arms: dict[str, Any] = {BASELINE: baseline}
    for name, precision in OURS.items():
        arms[name] = Arm(recipe, len(batch["source"]), precision)
        arms[name].like(baseline)
    runs = {name: [_plain(arm, batch, number) for number in range(steps)] for name, arm in arms.items()}
    first = runs[BASELINE][0]
    one = {name: {term: abs(run[0][term] / first[term] - 1) for term in first} for name, run in runs.items()}
    means = {name: sum(losses[near] for losses in run) / steps for name, run in runs.items()}
    many = {name: abs(mean / means[BASELINE] - 1) for name, mean in means.items()}
    return {
        "one_step": {name: {t: round(v, 5) for t, v in terms.items()} for name, terms in one.items() if name in OURS},
        "one_step_met": all(v <= ONE_STEP for name in OURS for v in one[name].values()),
        f"mean_{near}_of_{steps}_steps": {name: round(many[name], 5) for name in OURS},
        "many_steps_met": all(many[name] <= MANY_STEPS for name in OURS),
    }


def _plain(arm: Any, batch: Batch, number: int) -> dict[str, float]:
    torch.manual_seed(number)  # dropout
    losses: Mapping[str, Tensor] = arm.step(batch)
    return {name: float(loss) for name, loss in losses.items()}


def _note(peak: dict[str, float], name: str) -> None:
    """Keep the most gigaflops that convolutions reached: 3 x 3, 256 channels, 64 x 64 pixels, the best of ten."""
    layer, x = nn.Conv2d(256, 256, 3, padding=1).to(PEAKS[name]), torch.rand(4, 256, 64, 64).to(PEAKS[name])
    times = []
    with torch.inference_mode():
        for _ in range(10):
            began = clock()
            layer(x)
            times.append(clock() - began)
    reached = round(2 * 9 * 256**2 * 4 * 64**2 / min(times) / 1e9, 1)
    peak[name] = max(reached, peak.get(name, 0.0))


if __name__ == "__main__":
    main()
