"""Compare models with another one's pictures of the same photographs, by a network that is none's own.

python -m benchmarks.vangogh_pictures --model examples/models/vangogh --peer GRID.jpg --paintings FOLDER
    --features FILE --output benchmarks/results/vangogh_pictures.json

GRID.jpg holds squares: photographs in the first row, the peer's results below. Style is the relative Gram distance to
the mean Gram of crops of the paintings, to the nearest crop, or between the distributions of results and crops; content
is the distance of instance-normalized features. All are 0 at best, and rows for the untouched photographs and for a
half blend show what a number means.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import torch

from benchmarks.record import machine
from ganstyle import images
from ganstyle.draws import generator_of
from ganstyle.losses.perceptual import content_loss, style_loss
from ganstyle.nn.vgg import Perceptual, perceptual
from ganstyle.stylize import load
from ganstyle.training.provenance import commit
from ganstyle.types import Image

STYLE = {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0}
CONTENT = {"relu3_1": 1.0}
CROPS = 64


def main() -> None:
    """Score the models, the peer and two baselines, and write one results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, action="append", help="may be repeated")
    for name in ("peer", "paintings", "features", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    arguments = parser.parse_args()
    photographs, theirs = rows_of(arguments.peer)
    ours = {}
    for folder in arguments.model:
        model = load(folder)
        ours[model.card.training["experiment"]] = torch.cat([model.stylize(photo[None]) for photo in photographs])
    judge = perceptual(path=str(arguments.features))
    crops = crops_of(arguments.paintings, photographs.shape[-1])
    half = (next(iter(ours.values())) + photographs) / 2
    rows = {**ours, "peer": theirs, "photograph": photographs, "half blend with the first": half}
    result = {
        "command": f"python -m benchmarks.vangogh_pictures, models {', '.join(ours)}, peer {arguments.peer.name}",
        "weights": {name: load(f).card.weights_sha256 for name, f in zip(ours, arguments.model, strict=True)},
        "commit": commit(),
        "machine": machine(),
        "protocol": f"{len(photographs)} photographs of {photographs.shape[-1]} px, {CROPS} crops of the paintings at "
        f"scales 1 to 4, features of {arguments.features.name}, style {list(STYLE)}, content {list(CONTENT)}",
        "scores": {name: scores(judge, pictures, photographs, crops) for name, pictures in rows.items()},
    }
    arguments.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["scores"], indent=2))


@torch.no_grad()
def scores(judge: Perceptual, pictures: Image, photographs: Image, crops: Image) -> Mapping[str, float]:
    """Return the style distance to the crops and the content distance to the photographs."""
    seen, source, target = (judge(batch, list(STYLE)) for batch in (pictures, photographs, crops))
    return {
        "style": float(style_loss(seen, target, STYLE, target="batch_mean")),
        "style_nearest": float(style_loss(seen, target, STYLE, target="nearest")),
        "style_distribution": float(style_loss(seen, target, STYLE, target="distribution")),
        "content": float(content_loss(seen, source, CONTENT, normalized=True)),
    }


def rows_of(grid: Path) -> tuple[Image, Image]:
    """Cut a grid of two rows of squares into its pictures."""
    whole = images.to_tensor(images.read(grid))
    side = whole.shape[1] // 2
    top, below = (torch.stack(torch.split(whole[:, row : row + side], side, dim=2)) for row in (0, side))
    return top, below


def crops_of(folder: Path, side: int) -> Image:
    """Cut squares at scales 1 to 4 from the paintings in turn, seeded."""
    paintings = [images.read(path) for path in sorted(folder.iterdir()) if images.is_picture(path)]
    draw = generator_of("vangogh_pictures")
    crops = []
    for number in range(CROPS):
        painting = paintings[number % len(paintings)]
        height, width = painting.shape[:2]
        scale, down, right = torch.rand(3, generator=draw).tolist()
        window = min(round(side * (1 + 3 * scale)), height, width)
        top, left = round(down * (height - window)), round(right * (width - window))
        crops.append(images.to_tensor(images.resize(painting[top : top + window, left : left + window], side, side)))
    return torch.stack(crops)


if __name__ == "__main__":
    main()
