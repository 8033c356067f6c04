"""Draw photographs and what artifacts make of them, a column for each photograph, a row for each artifact.

python scripts/restyle_grid.py --model examples/models/vangogh --output docs/images/vangogh_kodak.webp PHOTO ...
"""

import argparse
from pathlib import Path

import numpy as np

from ganstyle import images
from ganstyle.images import Pixels
from ganstyle.stylize import load


def main() -> None:
    """Read photographs, restyle squares cut from their middles, and write the grid."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument(
        "--model", type=Path, required=True, action="append", help="an artifact's folder; may be repeated"
    )
    parser.add_argument("--output", type=Path, required=True, help="the picture to write")
    parser.add_argument("--side", type=int, default=256, help="of the squares, in pixels (default: %(default)s)")
    arguments = parser.parse_args()
    sources = [square(images.read(path), arguments.side) for path in arguments.photos]
    models = [load(folder) for folder in arguments.model]
    results = [[np.asarray(model.stylize(source)) for source in sources] for model in models]
    images.grid([[images.to_tensor(picture) for picture in row] for row in (sources, *results)], arguments.output)


def square(pixels: Pixels, side: int) -> Pixels:
    """Cut the middle square out and shrink it by area."""
    height, width = pixels.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    return images.resize(pixels[top : top + short, left : left + short], side, side)


if __name__ == "__main__":
    main()
