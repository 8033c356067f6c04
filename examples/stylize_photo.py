"""Restyle a photograph with a trained artifact.

python examples/stylize_photo.py photo.jpg examples/models/vangogh painting.png
"""

import sys
from pathlib import Path

from PIL import Image, ImageOps

import ganstyle


def main(photo: Path, artifact: Path, output: Path) -> None:
    """Read, restyle, write; the result has the photograph's size."""
    painter = ganstyle.load(artifact)
    photograph = ImageOps.exif_transpose(Image.open(photo)).convert("RGB")
    painter.stylize(photograph).save(output)
    print(f"{output}: {photo.name} in the manner of {', '.join(painter.card.styles)}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
