"""Measure how much results differ from each other, beside the photographs and the collection's windows.

python -m benchmarks.spread --model examples/models/vangogh --data PATH/monet2photo --reference PATH/paintings/vangogh
    --features FILE --output benchmarks/results/spread_vangogh.json

For each set of pictures: the mean distance of two pictures' Gram matrices, relative to the size of the collection's,
and the mean standard deviation of their Gabor energies (which are logarithms). The sets are those that
`ganstyle evaluate` judges.
"""

import argparse
import json
from pathlib import Path

import torch

from benchmarks.record import machine
from ganstyle.cli.sets import Wanted, find
from ganstyle.metrics.features import FeatureNetwork, feature_network
from ganstyle.metrics.gabor import gabor_energies
from ganstyle.metrics.sets import as_bytes, as_images
from ganstyle.metrics.style import gram_probes
from ganstyle.stylize import load
from ganstyle.training.provenance import commit
from ganstyle.types import Image

BATCH = 8


def main() -> None:
    """Describe photographs, windows and every model's results, and write one results file."""
    arguments = _arguments()
    sets = find(Wanted(str(arguments.data), reference=arguments.reference, limit=arguments.limit))
    photographs = as_images(sets.sources.pictures)
    pictures = {"collection": as_images(sets.references.crops), "photographs": photographs}
    weights = {}
    for folder in arguments.model:
        model = load(folder)
        pictures[str(folder)] = torch.cat([as_images(as_bytes(model.stylize(one[None]))) for one in photographs])
        weights[str(folder)] = model.card.weights_sha256
    judge = feature_network(path=arguments.features)
    grams = {name: _grams(images, judge) for name, images in pictures.items()}
    size = grams["collection"].square().sum(1).mean().sqrt()
    result = {
        "command": f"python -m benchmarks.spread, {len(photographs)} photographs of {sets.sources.name}, "
        f"{len(sets.references.crops)} windows of {sets.references.name}, features {judge.name}",
        "commit": commit(),
        "machine": machine(),
        "weights": weights,
        "spread": {
            name: {"gram": _between(grams[name] / size), "gabor": float(gabor_energies(images).std(0).mean())}
            for name, images in pictures.items()
        },
    }
    arguments.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["spread"], indent=2))


def _grams(images: Image, judge: FeatureNetwork) -> torch.Tensor:
    return torch.cat([gram_probes(part, judge, seed=0) for part in torch.split(images, BATCH)])


def _between(descriptors: torch.Tensor) -> float:
    """Mean distance of two different pictures."""
    return float(torch.nn.functional.pdist(descriptors).mean())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, action="append", help="may be repeated")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--features", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=40)
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
