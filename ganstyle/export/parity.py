"""Whether an exported file paints what its artifact paints."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganstyle.artifact import Artifact
from ganstyle.backends.likeness import Bound, drawn, psnr
from ganstyle.backends.model import Compute, Images
from ganstyle.export.errors import ParityError
from ganstyle.export.pictures import padded, photograph
from ganstyle.export.portable import even_mixture, reference, side_of

STEP, LEAST = 64, 256
"""Pixels: how much the sides of the judged sizes differ, and the smallest of them."""


BOUNDS = {
    "fp32": Bound(largest=1e-4),
    "fp16": Bound(psnr=55.0),
    "bf16": Bound(psnr=40.0),
    "int8": Bound(psnr=40.0),
}
"""By precision; docs/guides/export.md says why."""


@dataclass(frozen=True)
class Row:
    """How far an export is from its artifact on pictures of one size."""

    batch: int
    height: int
    width: int
    largest: float
    mean: float
    psnr: float


def sizes(artifact: Artifact) -> list[tuple[int, int, int]]:
    """Batch, height and width of what an export is judged on; the last is odd, so that it is padded."""
    side, multiple = side_of(artifact.network, LEAST), int(artifact.card.size_multiple)
    more = side + -(-STEP // multiple) * multiple
    return [(1, side, side), (2, side, more), (1, more - 13, side - 5)]


def compared(artifact: Artifact, compute: Compute, files: Sequence[Path] = ()) -> list[Row]:
    """Paint pictures of every size both ways; photographs where there are files, else drawn ones."""
    return [_row(artifact, compute, _pictures(*size, files)) for size in sizes(artifact)]


def require(rows: Sequence[Row], precision: str, what: str) -> None:
    """Raise ParityError when a row is beyond the bound of its precision."""
    bound = BOUNDS[precision]
    largest, psnr = max(row.largest for row in rows), min(row.psnr for row in rows)
    if not largest <= bound.largest:
        raise ParityError(
            f"{what} was not written: it is off by up to {largest:.2g} from the artifact (units of [-1, 1]), but "
            f"{precision} allows {bound.largest:g}; try another format or --precision."
        )
    if not psnr >= bound.psnr:
        raise ParityError(
            f"{what} was not written: it comes within {psnr:.1f} dB of the artifact, but {precision} takes "
            f"{bound.psnr:g} dB; try another format or --precision."
        )


def plain_rows(rows: Sequence[Row], precision: str) -> dict[str, Any]:
    """Rows and their bound as a report has them."""
    return {
        "unit": "differences in [-1, 1]; PSNR in dB of a range of 2",
        "bound": BOUNDS[precision].plain(),
        "sizes": [
            {("max" if name == "largest" else name): value for name, value in asdict(row).items()} for row in rows
        ],
        "passed": True,
    }


def _pictures(batch: int, height: int, width: int, files: Sequence[Path]) -> Images:
    seen = range(batch)
    if files:
        return np.concatenate([photograph(files[(height + n) % len(files)], height, width) for n in seen])
    return np.concatenate([drawn(height, width, height + n) for n in seen])


def _row(artifact: Artifact, compute: Compute, images: Images) -> Row:
    batch, _, height, width = images.shape
    given, mixtures = padded(images, artifact.card.size_multiple), even_mixture(artifact, batch)
    wanted = reference(artifact, given, mixtures)[..., :height, :width]
    found = compute(given, mixtures)[..., :height, :width]
    difference = np.abs(found.astype(np.float64) - wanted)
    return Row(batch, height, width, float(difference.max()), float(difference.mean()), psnr(found, wanted))
