r"""Measure how faithful and how fast the embedded features are, beside the 16x distilled VGG-19 and random ones.

python benchmarks/embedded_features.py --data PATH

Three numbers by layer, on pictures that no distillation saw:
* `correlation`: of the teacher's features with a linear map of the narrow ones, fitted on training pictures (R of the
  pooled regression; so random features get their due, too);
* `gram`: correlation of squared Gram distances between any two pictures with the teacher's, without any map;
* `content`: the same for mean squared feature distances.
The teacher is the real VGG-19 up to relu3_1; at relu4_1 it is the distilled one widened by its own 1x1 map, so there
the distilled network is compared with itself.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ganstyle import images
from ganstyle.nn.distillation import Teachers, fitted_head, rows_of
from ganstyle.nn.vgg import Perceptual, perceptual
from ganstyle.nn.vgg_files import EMBEDDED, weights_from_file
from ganstyle.nn.vgg_weights import Weights

LAYERS = ("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu4_1")
STYLE_LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1"]
REAL, DISTILLED = "vgg19_normalised_relu3_1.safetensors", "vgg19_slim16x_encoder_relu4_1.safetensors"
TRAINING = {"monet2photo/trainA/*.jpg": 24, "monet2photo/trainB/*.jpg": 24, "bsds500/train/*.jpg": 24}
HELD_OUT = {
    "photographs": {"kodak/*.png": 24, "monet2photo/testB/*.jpg": 48},
    "paintings": {"monet2photo/testA/*.jpg": 30, "paintings/vangogh/*": 8, "paintings/titian/*": 32},
}
SIDE = 224
POSITIONS = 1024
REPEATS = 20


def main() -> None:
    """Measure, print and write the results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with monet2photo, bsds500, kodak ... weights")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/embedded_features.json"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results = measure(arguments.data)
    arguments.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    for network, layers in results["fidelity"].items():
        for layer, groups in layers.items():
            print(f"{network:9} {layer}", *(f"{group}: {numbers}" for group, numbers in groups.items()))
    print(results["slim16x through its own maps"], results["milliseconds"])


def measure(data: Path) -> dict[str, Any]:
    """Measure every network on the same pictures."""
    real, distilled = (weights_from_file(str(data / "weights" / name), "vgg19") for name in (REAL, DISTILLED))
    teacher = Teachers(real, distilled)
    networks = {"embedded": perceptual(), "slim16x": Perceptual(distilled), "random": perceptual("random")}
    training = pictures(data, TRAINING)
    groups = {group: pictures(data, patterns) for group, patterns in HELD_OUT.items()}
    taught = [seen_by(lambda image: teacher(image, LAYERS), shown) for shown in (training, *groups.values())]
    return {
        "what": "narrow features against their teacher's on held-out pictures; see benchmarks/embedded_features.py",
        "command": "python " + " ".join(sys.argv),
        "commit": output_of("git", "rev-parse", "HEAD"),
        "machine": f"{os.cpu_count()} CPU cores ({platform.machine()}), 1 thread, torch {torch.__version__}",
        "sha256": {
            file.name: digest(file) for file in (EMBEDDED, data / "weights" / REAL, data / "weights" / DISTILLED)
        },
        "training": json.loads((EMBEDDED.parent / "card.json").read_text(encoding="utf-8"))["training"],
        "pictures": {"fitted on": TRAINING, "held out": HELD_OUT, "side": SIDE},
        "taught_by": {layer: teacher.source(layer) for layer in LAYERS},
        "fidelity": {name: fidelity(network, taught, training, groups) for name, network in networks.items()},
        "slim16x through its own maps": through_own_maps(distilled, taught[1:], groups),
        "milliseconds": speed({**networks, "vgg19 to relu3_1": teacher.real}),
    }


class Seen(NamedTuple):
    """What a network sees in some pictures, at one layer."""

    rows: Tensor
    """pictures x positions x channels, at the same random positions in every picture."""
    grams: Tensor
    """pictures x channels x channels."""


def seen_by(network: Callable[[Tensor], dict[str, Tensor]], shown: list[Tensor]) -> dict[str, Seen]:
    """Run a network over pictures of one size and keep what the three numbers need, by layer."""
    with torch.no_grad():
        kept = [{layer: (picked(f), gram(f)) for layer, f in network(image).items()} for image in shown]
    return {layer: Seen(*map(torch.stack, zip(*(one[layer] for one in kept), strict=True))) for layer in LAYERS}


def picked(features: Tensor) -> Tensor:
    """Pick a picture's features at random positions, the same for every picture and network."""
    count = features[0, 0].numel()
    return rows_of(features, torch.randperm(count, generator=torch.Generator().manual_seed(0))[:POSITIONS])


def fidelity(
    network: Perceptual, taught: list[dict[str, Seen]], training: list[Tensor], groups: dict[str, list[Tensor]]
) -> dict[str, dict[str, dict[str, float]]]:
    """Measure one network by layer and group of pictures."""
    seen, *held_out = (seen_by(lambda image: network(image, LAYERS), shown) for shown in (training, *groups.values()))
    return {
        layer: {
            group: compared(seen[layer], taught[0][layer], ours[layer], theirs[layer])
            for group, ours, theirs in zip(groups, held_out, taught[1:], strict=True)
        }
        for layer in LAYERS
    }


def through_own_maps(
    distilled: Weights, taught: list[dict[str, Seen]], groups: dict[str, list[Tensor]]
) -> dict[str, dict[str, float]]:
    """Check the distilled network as published: its own 1x1 maps to the real features, which the data page quotes."""
    network = Perceptual(distilled)
    seen = [seen_by(lambda image: network(image, LAYERS), shown) for shown in groups.values()]
    return {
        layer: {
            group: correlation(F.linear(ours[layer].rows, kernel.weight.flatten(1), kernel.bias), theirs[layer].rows)
            for group, ours, theirs in zip(groups, seen, taught, strict=True)
        }
        for layer, kernel in distilled.heads.items()
        if layer != "relu4_1"
    }


def compared(seen: Seen, shown: Seen, ours: Seen, theirs: Seen) -> dict[str, float]:
    """Measure one layer: through a map fitted on training pictures, by Gram distances, by content distances."""
    with torch.no_grad():
        head = fitted_head(seen.rows.flatten(0, 1), shown.rows.flatten(0, 1))
        return {
            "correlation": correlation(head(ours.rows), theirs.rows),
            "gram": correlation(distances(ours.grams), distances(theirs.grams)),
            "content": correlation(distances(ours.rows), distances(theirs.rows)),
        }


def gram(features: Tensor) -> Tensor:
    """Return the mean outer product of a picture's features."""
    flat = features.flatten(2)[0]
    return flat @ flat.T / flat.shape[1]


def distances(described: Tensor) -> Tensor:
    """Return the squared distance between any two pictures' descriptions."""
    flat = described.flatten(1)
    products = flat @ flat.T
    squares = products.diagonal()
    upper = torch.ones_like(products).triu(1).bool()
    return (squares[:, None] + squares[None] - 2 * products)[upper]


def correlation(ours: Tensor, theirs: Tensor) -> float:
    """Return Pearson's correlation over all entries, rounded."""
    pair = torch.stack([ours.flatten(), theirs.flatten()]).double()
    return round(torch.corrcoef(pair)[0, 1].item(), 4)


def pictures(data: Path, patterns: dict[str, int]) -> list[Tensor]:
    """Read the first pictures of each folder, their middle squares scaled to one side."""
    files = [file for pattern, count in patterns.items() for file in islice(sorted(data.glob(pattern)), count)]
    return [middle(images.read(file)) for file in files if images.is_picture(file)]


def middle(pixels: images.Pixels) -> Tensor:
    """Cut the middle square and scale it."""
    height, width, _ = pixels.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return images.to_tensor(images.resize(pixels[top : top + side, left : left + side], SIDE, SIDE))[None]


def speed(networks: dict[str, Perceptual]) -> dict[str, float]:
    """Time a style loss's forward and backward on four images of 128 pixels, in turns; the best of all repeats.

    Each turn runs twice and counts the second, so that none starts on a cache that another has filled.
    """
    best = dict.fromkeys(networks, float("inf"))
    for _ in range(REPEATS):
        for name, network in networks.items():
            once(network)
            best[name] = min(best[name], once(network))
    return {name: round(1000 * seconds, 1) for name, seconds in best.items()}


def once(network: Perceptual) -> float:
    """Time one forward and backward."""
    image = torch.zeros(4, 3, 128, 128).uniform_(-1, 1).requires_grad_()
    layers = [layer for layer in STYLE_LAYERS if layer in network.layers]
    started = time.perf_counter()
    torch.autograd.backward(torch.stack([f.square().mean() for f in network(image, layers).values()]).sum())
    return time.perf_counter() - started


def output_of(*command: str) -> str:
    """Return what a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def digest(file: Path) -> str:
    """Return a file's sha256."""
    return sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
