"""Draw photographs and what an artifact makes of them, one column each.

python scripts/restyle_grid.py --model examples/models/vangogh --output docs/images/vangogh_kodak.jpg PHOTO ...
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
    parser.add_argument("--model", type=Path, required=True, help="an artifact's folder")
    parser.add_argument("--output", type=Path, required=True, help="the picture to write")
    parser.add_argument("--side", type=int, default=256, help="of the squares, in pixels (default: %(default)s)")
    arguments = parser.parse_args()
    model = load(arguments.model)
    sources = [square(images.read(path), arguments.side) for path in arguments.photos]
    results = [np.asarray(model.stylize(source)) for source in sources]
    rows = [[images.to_tensor(picture) for picture in row] for row in (sources, results)]
    images.grid(rows, arguments.output)


def square(pixels: Pixels, side: int) -> Pixels:
    """Cut the middle square out and shrink it by area."""
    height, width = pixels.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    return images.resize(pixels[top : top + short, left : left + short], side, side)


if __name__ == "__main__":
    main()
