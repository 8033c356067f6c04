"""Restyle a folder of photographs with a published network, for `ganstyle evaluate --results` to judge.

python -m benchmarks.peers fast_style --weights FILE --photographs FOLDER --output FOLDER
python -m benchmarks.peers microast --weights FILE --photographs FOLDER --styles FOLDER --output FOLDER

Results are PNG of the same name and size as the photograph. MicroAST takes one painting for each photograph, drawn by
the seed and the photograph's name, its short side at most 512 px as in training. peers.json says how they were made.
"""

import argparse
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import torch

from ganstyle import images
from ganstyle.data.folders import content_hash, pictures_in, spread
from ganstyle.draws import seed_of
from ganstyle.errors import ConfigError, GanstyleError
from ganstyle.images import to_tensor
from ganstyle.interop.fast_style import fast_style
from ganstyle.interop.microast import arbitrary
from ganstyle.interop.reading import read_tensors
from ganstyle.types import Image

STYLE_SIDE = 512
SIZE_MULTIPLE = 4
"""Both networks halve the sides twice."""
Peer = Callable[[Image, Path], Image]
"""A photograph (batch of one) and its path to the result."""


def main() -> None:
    """Read the command line, restyle every photograph, and write down how."""
    arguments = _arguments()
    try:
        restyle(arguments)
    except GanstyleError as error:
        raise SystemExit(f"benchmarks.peers: {error}") from None


def restyle(arguments: argparse.Namespace) -> None:
    """Run the named network over the photographs."""
    photographs = spread(pictures_in(arguments.photographs), arguments.limit)
    styles = pictures_in(arguments.styles) if arguments.styles else []
    run = peer(arguments.network, arguments.weights, styles, arguments.seed)
    for path in photographs:
        picture = to_tensor(images.read(path))[None]
        name = path.relative_to(arguments.photographs).with_suffix(".png")
        images.write(restyled(run, picture, path)[0], arguments.output / name)
    provenance = {
        "network": arguments.network,
        "weights": {arguments.weights.name: sha256(arguments.weights.read_bytes()).hexdigest()},
        "photographs": {"count": len(photographs), "hash": content_hash(photographs)},
        "styles": {"count": len(styles), "hash": content_hash(styles), "short side at most": STYLE_SIDE},
        "seed": arguments.seed,
    }
    (arguments.output / "peers.json").write_text(json.dumps(provenance, indent=2) + "\n")


def peer(network: str, weights: Path, styles: list[Path], seed: int) -> Peer:
    """Load a network as a function from photographs to results."""
    tensors = read_tensors(weights)
    if network == "fast_style":
        generator, _ = fast_style(tensors)
        return lambda image, _: generator.eval()(image)
    if not styles:
        raise ConfigError("microast needs paintings to take its styles from; give --styles a folder of them.")
    microast = arbitrary(tensors)
    return lambda image, path: microast(image, style_for(path, styles, seed))


def style_for(photograph: Path, styles: list[Path], seed: int) -> Image:
    """Draw a painting for a photograph, and read it at the size of MicroAST's training."""
    path = styles[seed_of("peers", seed, photograph.stem) % len(styles)]
    pixels = images.read(path)
    height, width = pixels.shape[:2]
    scale = min(1.0, STYLE_SIDE / min(height, width))
    return to_tensor(images.resize(pixels, round(height * scale), round(width * scale)))[None]


@torch.no_grad()
def restyled(run: Peer, picture: Image, path: Path) -> Image:
    """Run a network at a picture's own size, grown by reflection to the multiple that both networks need."""
    result = run(images.pad(picture, SIZE_MULTIPLE), path)
    return images.crop(result, *picture.shape[-2:])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", choices=("fast_style", "microast"))
    for name in ("weights", "photographs", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--styles", type=Path, help="folder of paintings, for microast")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, help="restyle so many at even distances, as evaluate does")
    return parser.parse_args()


if __name__ == "__main__":
    main()
