"""From a student's artifact to a narrower one, which then has to recover."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ganstyle import artifact
from ganstyle.backends.model import Images
from ganstyle.compress.errors import CompressError
from ganstyle.compress.prune import importance, narrowed, pruned
from ganstyle.nn.light import Light


def shorten(student: Path, teacher: Path, output: Path, pictures: Sequence[Images], share: float) -> dict[str, int]:
    """Write a student's artifact without the channels that matter least, and return its widths.

    Its card names the student, by the hash of its weights, and the share.

    Args:
        student: folder of the artifact to narrow.
        teacher: folder of what it imitates.
        output: folder for the narrower artifact.
        pictures: photographs to judge channels by, one at a time.
        share: of the multiply-adds that is to be saved, from 0 to below 1.

    Raises:
        CompressError: a network that is no Light, or one whose layers cannot be cut.
    """
    found = artifact.load(student)
    if not isinstance(found.network, Light):
        raise CompressError(f"only a light generator is pruned, but {student} is a {found.card.network}.")
    shown = [torch.from_numpy(picture) for picture in pictures]
    matters = importance(found.network, artifact.load(teacher).network, shown)
    widths = narrowed(found.network, matters, share)
    about = kept(found.card)
    about["training"] |= {"prune": share, "student_sha256": found.card.weights_sha256}
    artifact.save(pruned(found.network, matters, widths), output, **about)
    return widths


def kept(card: artifact.Card) -> dict[str, Any]:
    """What a card says besides network and weights, as `artifact.save` takes it."""
    names = ("styles", "data", "training", "losses", "licence")
    return {name: value for name, value in asdict(card).items() if name in names}
