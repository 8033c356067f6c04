"""What a command line asks to be judged: an artifact, or a folder of pictures that something else made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from ganstyle import artifact as artifacts
from ganstyle.artifact import CARD, Artifact, Card
from ganstyle.data.folders import pictures_in
from ganstyle.draws import seed_of
from ganstyle.errors import DataError
from ganstyle.images import read
from ganstyle.metrics.protocol import Averaging
from ganstyle.metrics.sets import as_images, square, stacked
from ganstyle.nn.blocks import Dropout, drawing
from ganstyle.stylize.network import Stylizer
from ganstyle.types import Image

ARTIFACT = "artifact"
"""Folder of a run that its artifact lies in, or several of them."""


@dataclass(frozen=True)
class Model:
    """An artifact that is judged."""

    name: str
    artifact: Artifact

    def restyler(self, stems: tuple[str, ...], size: int, seed: int) -> Callable[[Image, int], Image]:
        """Restyle photographs one at a time; what dropout draws belongs to the photograph's number."""
        stylizer = Stylizer(self.artifact)

        def restyle(image: Image, number: int) -> Image:
            return stylizer.stylize(image, seed=seed_of("restyle", seed, number))

        return restyle

    @property
    def stems(self) -> None:
        """Every photograph can be restyled."""

    @property
    def card(self) -> Card | None:
        """What the artifact says of itself."""
        return self.artifact.card

    @property
    def habits(self) -> Mapping[str, Any]:
        """The entries of a protocol that the model decides on."""
        network = self.artifact.network
        return {
            "weights": averaging(self.artifact.card),
            "dropout": dropout(network),
            "normalization": normalization(network),
        }


@dataclass(frozen=True)
class Folder:
    """Pictures that something else made, matched to photographs by file stem."""

    name: str
    paths: Mapping[str, Path]
    """By stem."""

    def restyler(self, stems: tuple[str, ...], size: int, seed: int) -> Callable[[Image, int], Image]:
        """Look results up, brought to the size that is judged like the photographs."""

        def restyle(image: Image, number: int) -> Image:
            return as_images(stacked([square(read(self.paths[stems[number]]), size)]))

        return restyle

    @property
    def stems(self) -> frozenset[str]:
        """The photographs that have a result."""
        return frozenset(self.paths)

    @property
    def card(self) -> Card | None:
        """Nothing is known of how the pictures were made."""
        return None

    @property
    def habits(self) -> Mapping[str, Any]:
        """The entries of a protocol that the model decides on."""
        return {"weights": "unknown", "dropout": "unknown", "normalization": "unknown"}


def subject(path: Path) -> Model | Folder:
    """Open what is to be judged: a folder with a card is an artifact, any other one holds pictures."""
    return model(path) if (path / CARD).is_file() else folder(path)


def model(path: Path) -> Model:
    """Load an artifact; raises ArtifactError when it is missing or damaged."""
    loaded = artifacts.load(path)
    return Model(_name(path.resolve(), loaded.card), loaded)


def _name(path: Path, card: Card) -> str:
    """Call an artifact by its folder, or by its experiment where the folder is called as in every run."""
    if ARTIFACT not in (path.name, path.parent.name):
        return path.name
    experiment = str(card.training.get("experiment") or path.parent.name)
    return experiment if path.name == ARTIFACT else f"{experiment} {path.name}"


def folder(path: Path) -> Folder:
    """Index a folder of results; raises DataError when it is missing, empty, or two files have one stem."""
    found: dict[str, Path] = {}
    for picture in pictures_in(path):
        if picture.stem in found:
            raise DataError(f"{found[picture.stem]} and {picture} have the same stem; keep one result per photograph.")
        found[picture.stem] = picture
    return Folder(path.resolve().name, found)


def averaging(card: Card) -> Averaging:
    """Say whether an artifact holds a moving average of the weights or the last ones."""
    half_life = card.training.get("ema_half_life")
    if half_life is None:
        return "unknown"
    return "ema" if half_life else "live"


def dropout(network: nn.Module) -> str:
    """Say what dropout does at test."""
    if drawing(network):
        return "active, drawn from the seed and the picture's number"
    there = any(isinstance(layer, Dropout) and layer.probability > 0 for layer in network.modules())
    return "off" if there else "none"


def normalization(network: nn.Module) -> str:
    """Say whose statistics normalization layers use at test."""
    batch = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    if not batch:
        return "no batch norm"
    return "batch norm with running statistics" if batch[0].track_running_stats else "batch norm over one picture"


def trained_through(card: Card) -> str | None:
    """Return the sha256 of the feature network that a model was trained through, None where the card does not tell."""
    found = card.training.get("features_sha256")
    return str(found) if found else None


def learned_direction(card: Card, name: str) -> str | None:
    """Return AtoB or BtoA where a card says that its model learned that on the data set of this name."""
    if card.data.get("name") == name and "direction" in card.data:
        return str(card.data["direction"])
    sides = {f"{name}/trainA": "AtoB", f"{name}/trainB": "BtoA"}
    return sides.get(str(card.data.get("name", "")).partition(" -> ")[0])
