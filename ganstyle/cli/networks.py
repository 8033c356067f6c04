"""The networks that `ganstyle evaluate` looks through, and what it examines with them."""

from argparse import Namespace
from typing import TYPE_CHECKING, Literal

from ganstyle.cli.refusals import UsageError
from ganstyle.errors import GanstyleError

if TYPE_CHECKING:
    from ganstyle.cli.subjects import Folder, Model
    from ganstyle.metrics.artfid import ArtNetworks
    from ganstyle.metrics.examinations import Examination
    from ganstyle.metrics.features import FeatureNetwork
    from ganstyle.metrics.judge import Judge, Published

PUBLISHED = {
    "--inception": "the published Inception, for FID",
    "--lpips": "torchvision's VGG-16, for LPIPS of paired data",
    "--artfid": "ArtFID's own Inception",
    "--artfid-lpips": "torchvision's AlexNet, for ArtFID",
}
"""Weights that scores are named after; without them the scores carry another name, or are left out."""
Alike = Literal["same", "akin", "other"]
"""How near the network that judges is to the one that a model was trained through."""


class ReportError(GanstyleError):
    """A report that cannot be written where it was asked for."""


def device(asked: str) -> str:
    """Refuse a device that is not there."""
    import torch

    if asked not in ("cpu", "cuda"):
        raise UsageError(f"--device is cpu or cuda, but got {asked!r}.")
    if asked == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda, but PyTorch finds no GPU here; leave the option out.")
    return asked


def published(words: Namespace) -> "Published":
    """Build the networks that scores are named after, as far as they are given."""
    from ganstyle.metrics.inception import inception
    from ganstyle.metrics.judge import Published
    from ganstyle.metrics.lpips import lpips

    return Published(
        inception(words.inception) if words.inception else None, lpips(words.lpips) if words.lpips else None
    )


def examinations(words: Namespace, network: "FeatureNetwork", judge: "Judge") -> "list[Examination]":
    """List what is asked of whole sets beside the plane."""
    from ganstyle.metrics.examinations import art, deceived, distribution

    sets = [distribution(name, seed=words.seed) for name in judge.vectors]
    return [deceived(network, seed=words.seed), *sets, art(_art_networks(words), seed=words.seed)]


def _art_networks(words: Namespace) -> "ArtNetworks | None":
    if not words.artfid:
        return None
    from ganstyle.metrics.artfid import art_networks
    from ganstyle.metrics.published import DOWNLOAD

    return art_networks(words.artfid, words.artfid_lpips or DOWNLOAD)


def seen_alike(judged: "Model | Folder", network: "FeatureNetwork") -> Alike:
    """Say whether a model was trained through the judge's feature network, or one of its pupils or teachers.

    A card that does not tell may mean the very same.
    """
    if judged.card is None:
        return "other"
    from ganstyle.cli.subjects import trained_through
    from ganstyle.metrics.features import akin

    through = trained_through(judged.card)
    if through in (None, network.sha256):
        return "same"
    return "akin" if akin(through, network.sha256) else "other"
