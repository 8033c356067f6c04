r"""Distil a narrow VGG-19 into ganstyle/nn/embedded: the features that perceptual losses use without a download.

Every teacher and source of pictures is given with a word on its licence, which the card repeats. The packaged file:

    python scripts/distill_features.py --minutes 20 --lr 0.0015 --seed 0 \
        --real PATH/weights/vgg19_normalised_relu3_1.safetensors "Apache-2.0" \
        --distilled PATH/weights/vgg19_slim16x_encoder_relu4_1.safetensors "MIT" \
        --pictures "PATH/monet2photo/trainA/*" "public-domain paintings" \
        --pictures "PATH/monet2photo/trainB/*" "photographs of unstated licence, for development" \
        --pictures "PATH/bsds500/train/*.jpg" "BSDS500, non-commercial research and education" \
        --pictures "PATH/paintings/masters/*" "public-domain paintings"
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from glob import glob
from hashlib import sha256
from math import cos, pi
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ganstyle import images
from ganstyle.draws import generator_of
from ganstyle.errors import DataError, GanstyleError
from ganstyle.nn.distillation import (
    Rows,
    Teachers,
    fitted_head,
    mean_activations,
    pruned,
    rows_of,
    scaled,
    unexplained,
    unlike,
    weights_of,
)
from ganstyle.nn.inheritance import inherit
from ganstyle.nn.vgg import Perceptual
from ganstyle.nn.vgg_files import EMBEDDED, orthogonal_weights, weights_from_file
from ganstyle.nn.vgg_layers import relu
from ganstyle.nn.vgg_weights import Weights

WIDTHS = {
    "conv1_1": 16,
    "conv1_2": 16,
    "conv2_1": 48,
    "conv2_2": 32,
    "conv3_1": 96,
    "conv3_2": 32,
    "conv3_3": 48,
    "conv3_4": 48,
    "conv4_1": 128,
}
"""Wide where style is measured (relu2_1, relu3_1), so that the whole costs no more than the 16x distilled VGG."""
WEIGHTS = {"real": 1.0, "distilled, widened": 1.0, "distilled, narrow": 0.25}
"""How much a layer counts, by its teacher."""
KERNEL_WEIGHT = 0.5
POSITIONS = 4096
KERNEL_POSITIONS = 384
WARMUP = 100
SAVE_EVERY = 250
MULTIPLE = 16
"""Of channels: what CPUs convolve at a time."""
LICENCE = (
    "MIT; it starts from the teachers' kernels, so their licences apply, too, and that of VGG-19 itself "
    "(Simonyan & Zisserman 2015, Creative Commons Attribution)"
)


def main() -> int:
    """Distil, and write weights and card; return the exit code."""
    arguments = parser().parse_args()
    arguments.commit = commit()
    torch.set_num_threads(arguments.threads)
    try:
        distil(arguments)
    except GanstyleError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """Declare the options."""
    described = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = described.add_argument
    add("--real", nargs=2, metavar=("FILE", "LICENCE"), required=True, help="the VGG-19 that teaches the layers it has")
    add("--distilled", nargs=2, metavar=("FILE", "LICENCE"), required=True, help="teaches the layers beyond")
    add("--pictures", nargs=2, metavar=("GLOB", "LICENCE"), action="append", required=True, help="may be given again")
    add("--output", type=Path, default=EMBEDDED.parent, help="folder of features.safetensors and card.json")
    add("--minutes", type=float, default=20.0, help="stop after this time (default 20)")
    add("--steps", type=int, default=10_000, help="or after this many steps (default 10000)")
    add("--batch", type=int, default=8, help="crops per step (default 8)")
    add("--side", type=int, default=96, help="side of the crops in pixels (default 96)")
    add("--lr", type=float, default=2e-3, help="peak learning rate of Adam (default 0.002)")
    add("--seed", type=int, default=0, help="of initial weights, crops and disturbances (default 0)")
    add("--threads", type=int, default=1, help="CPU threads (default 1)")
    return described


def distil(arguments: argparse.Namespace) -> None:
    """Train the student until steps or minutes are used up; save it now and then."""
    torch.manual_seed(arguments.seed)
    given = tuple(weights_from_file(file, "vgg19") for file, _ in (arguments.real, arguments.distilled))
    teachers = Teachers(*given)
    crops = Crops([pattern for pattern, _ in arguments.pictures], arguments.side, arguments.seed)
    student = Perceptual(inherit(orthogonal_weights(WIDTHS, arguments.seed, "the student"), given, crops.batch(-3, 16)))
    student.convolutions.requires_grad_(True)
    heads = heads_for(student, teachers, crops.batch(-2, 16))
    optimizer = torch.optim.Adam([*student.convolutions.parameters(), *heads.parameters()], lr=arguments.lr)
    started, step, progress = time.monotonic(), 0, 0.0
    while progress < 1:
        set_lr(optimizer, arguments.lr * min(1.0, (step + 1) / WARMUP) * (1 + cos(pi * progress)) / 2)
        losses = learn(student, heads, teachers, crops.batch(step, arguments.batch), optimizer)
        step += 1
        minutes = (time.monotonic() - started) / 60
        progress = max(step / arguments.steps, minutes / arguments.minutes)
        if step % SAVE_EVERY == 0 or progress >= 1:
            print(f"step {step}, {minutes:.1f} min: {worded(losses)}", flush=True)
            save(finished(student, crops), card(arguments, teachers, crops, step, minutes), arguments.output)


def heads_for(student: Perceptual, teachers: Teachers, images_: Tensor) -> nn.ModuleDict:
    """Fit a linear map from each of the student's layers to its teacher's width on some images."""
    with torch.no_grad():
        seen, shown = student(images_, student.layers), teachers(images_, student.layers)
    return nn.ModuleDict({layer: fitted_head(*sampled(seen[layer], shown[layer])) for layer in student.layers})


def learn(
    student: Perceptual, heads: nn.ModuleDict, teachers: Teachers, images_: Tensor, optimizer: torch.optim.Optimizer
) -> dict[str, tuple[float, float]]:
    """Take one step; return the unexplained share of features and of kernels by layer."""
    with torch.autocast("cpu", torch.bfloat16):
        shown = teachers(images_, student.layers)
    seen = student(images_, student.layers)
    losses = {layer: compare(seen[layer], heads[layer], shown[layer]) for layer in student.layers}
    total = sum(
        (
            WEIGHTS[teachers.source(layer)] * (features + KERNEL_WEIGHT * kernel)
            for layer, (features, kernel) in losses.items()
        ),
        torch.zeros(()),
    )
    optimizer.zero_grad()
    torch.autograd.backward(total)
    optimizer.step()
    return {layer: (features.item(), kernel.item()) for layer, (features, kernel) in losses.items()}


def compare(seen: Tensor, head: nn.Module, shown: Tensor) -> tuple[Tensor, Tensor]:
    """Measure a layer of the student against its teacher at random positions, through its head and by kernels."""
    student, teacher = sampled(seen, shown)
    return unexplained(head(student), teacher), unlike(student[:KERNEL_POSITIONS], teacher[:KERNEL_POSITIONS])


def sampled(seen: Tensor, shown: Tensor) -> tuple[Rows, Rows]:
    """Pick both networks' features at the same random positions: neighbours tell much the same."""
    positions = torch.randperm(seen[:, 0].numel())[:POSITIONS]
    return rows_of(seen, positions), rows_of(shown, positions).float()


def set_lr(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate of every group."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def worded(losses: dict[str, tuple[float, float]]) -> str:
    """List each layer's correlation with its teacher, through its head, and the unexplained share of its kernel."""
    return ", ".join(
        f"{layer} r={max(0.0, 1 - features) ** 0.5:.3f} k={kernel:.3f}" for layer, (features, kernel) in losses.items()
    )


def pictures(pattern: str) -> list[Path]:
    """List the pictures that match a shell pattern."""
    files = sorted(path for path in map(Path, glob(pattern)) if images.is_picture(path))  # noqa: PTH207 - may be absolute
    if not files:
        raise DataError(f"there is no picture that matches {pattern!r}; give a quoted pattern like 'photos/*.jpg'.")
    return files


class Crops:
    """Random square crops at random scales, half of them disturbed in color and noise, as generated images are."""

    def __init__(self, globs: list[str], side: int, seed: int) -> None:
        self.files = {pattern: pictures(pattern) for pattern in globs}
        self._pixels = [images.read(file) for files in self.files.values() for file in files]
        self._side, self._seed = side, seed

    def batch(self, step: int, count: int) -> Tensor:
        """Return the crops of a step, the same whenever it is asked for."""
        generator = generator_of("distillation", self._seed, step)
        chosen = torch.randint(len(self._pixels), (count,), generator=generator)
        clean = torch.stack([self._crop(int(number), generator) for number in chosen])
        return torch.cat([clean[: count // 2], disturbed(clean[count // 2 :], generator)])

    def _crop(self, number: int, generator: torch.Generator) -> Tensor:
        pixels = self._pixels[number]
        height, width, _ = pixels.shape
        scale, down, right, mirror = torch.rand(4, generator=generator).tolist()
        window = round(self._side * (min(height, width) / self._side) ** scale)
        top, left = int(down * (height - window + 1)), int(right * (width - window + 1))
        image = images.to_tensor(
            images.resize(pixels[top : top + window, left : left + window], self._side, self._side)
        )
        return image.flip(-1) if mirror < 0.5 else image


def disturbed(images_: Tensor, generator: torch.Generator) -> Tensor:
    """Change each channel's gain and offset, and add noise; stays in [-1, 1]."""
    draw = torch.rand(len(images_), 7, 1, 1, generator=generator)
    gain, offset, strength = 0.5 + draw[:, :3], 0.6 * (draw[:, 3:6] - 0.5), 0.25 * draw[:, 6:]
    noise = torch.randn(images_.shape, generator=generator)
    return (gain * images_ + offset + strength * noise).clamp(-1, 1)


@torch.no_grad()
def finished(student: Perceptual, crops: Crops) -> Weights:
    """Take out dead channels, and scale each layer's mean activation over training crops to 1."""
    shown = crops.batch(-1, 64)
    alive = pruned(weights_of(student, "the student"), student(shown, student.layers), MULTIPLE)
    return scaled(alive, mean_activations(Perceptual(alive)(shown, student.layers)))


def card(arguments: argparse.Namespace, teachers: Teachers, crops: Crops, step: int, minutes: float) -> dict[str, Any]:
    """Say what the features are and where they come from."""
    return {
        "name": "ganstyle embedded features",
        "what": "a narrow VGG-19; RGB in [0, 1] through a 1x1 color layer, reflection padding, mean activation 1",
        "licence": LICENCE,
        "teachers": [described(*given) for given in (arguments.real, arguments.distilled)],
        "taught_by": {layer: teachers.source(layer) for layer in map(relu, WIDTHS)},
        "pictures": [
            {"folder": "/".join(Path(pattern).parts[-3:-1]), "count": len(crops.files[pattern]), "licence": licence}
            for pattern, licence in arguments.pictures
        ],
        "training": {
            **{key: getattr(arguments, key) for key in ("seed", "batch", "side", "lr")},
            **{"steps": step, "minutes": round(minutes, 1), "kernel_weight": KERNEL_WEIGHT, "torch": torch.__version__},
        },
        "commit": arguments.commit,
        "command": shlex.join(["python", *sys.argv]),
    }


def commit() -> str:
    """Name the commit that runs."""
    return subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()


def described(file: str, licence: str) -> dict[str, str]:
    """Identify a teacher's file."""
    with safe_open(file, "pt") as opened:
        source = (opened.metadata() or {}).get("source", "unknown")
    digest = sha256(Path(file).read_bytes()).hexdigest()
    return {"file": Path(file).name, "sha256": digest, "source": source, "licence": licence}


def save(weights: Weights, about: dict[str, Any], folder: Path) -> None:
    """Write features.safetensors in half precision, and card.json."""
    folder.mkdir(parents=True, exist_ok=True)
    layers = {"conv0": weights.color, **weights.convolutions}
    about["widths"] = {relu(name): len(kernel.bias) for name, kernel in weights.convolutions.items()}
    state = {
        f"{name}.{part}": getattr(kernel, part).half().contiguous()
        for name, kernel in layers.items()
        for part in kernel._fields
    }
    save_file(state, folder / EMBEDDED.name)
    (folder / "card.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
