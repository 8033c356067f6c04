"""What an artifact says of itself: `card.json`, in plain values. Nothing heavy is imported to read one."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ganstyle import __version__
from ganstyle.errors import ArtifactError, suggestion

WEIGHTS, CARD = "weights.safetensors", "card.json"
FORMAT = 1
KINDS: Mapping[str, type] = {
    "network": str,
    "arguments": dict,
    "size_multiple": int,
    "styles": list,
    "data": dict,
    "training": dict,
    "losses": dict,
    "metrics": list,
    "licence": str,
    "weights_sha256": str,
    "ganstyle": str,
    "created": str,
    "value_range": list,
    "format": int,
}
"""The entries of card.json and what JSON calls their kind; no more, no less."""


@dataclass(frozen=True)
class Metric:
    """One number that was measured, with what is needed to measure it again."""

    name: str
    value: float
    protocol: str
    """Data, number of images, size, weights of a feature network: whatever the number depends on."""


@dataclass(frozen=True)
class Card:
    """What an artifact is, in plain values."""

    network: str
    """A key of `ganstyle.artifact.NETWORKS`."""
    arguments: Mapping[str, Any]
    """What the network's constructor is called with."""
    size_multiple: int
    """Sides of the images that the network takes are multiples of this."""
    styles: tuple[str, ...]
    """The manners it paints in, by name."""
    data: Mapping[str, Any]
    """The card of the data set it learned from."""
    training: Mapping[str, Any]
    """Experiment, overrides, images seen, seed, commit, versions, and whether the weights are averaged."""
    losses: Mapping[str, Mapping[str, float]]
    """The weight of each term, by player."""
    metrics: tuple[Metric, ...]
    licence: str
    """Under which terms the weights may be used."""
    weights_sha256: str
    ganstyle: str
    """The version that wrote the artifact."""
    created: str
    """When, in UTC (ISO 8601)."""
    value_range: tuple[float, float] = (-1.0, 1.0)
    """Of the images that the network takes and returns."""
    format: int = FORMAT


def read_card(folder: Path | str) -> Card:
    """Read an artifact's card without its weights; raises ArtifactError when it is missing, damaged or too new."""
    folder = Path(folder)
    try:
        text = (folder / CARD).read_text(encoding="utf-8")
    except OSError as error:
        raise ArtifactError(missing(folder)) from error
    try:
        return parsed_card(json.loads(text))
    except (ValueError, TypeError) as error:
        raise ArtifactError(
            f"the card {folder / CARD} is damaged ({first_line(error)}); train or fetch the artifact again."
        ) from error


def plain_card(card: Card) -> dict[str, Any]:
    """The card as it stands in the file: dicts, lists, strings and numbers."""
    return asdict(card)


def parsed_card(values: Any) -> Card:
    """A card from what JSON holds; raises ValueError or TypeError where an entry is missing, unknown or odd."""
    if not isinstance(values, dict):
        raise TypeError("it is not an object")
    if isinstance(values.get("format"), int) and values["format"] > FORMAT:
        raise ValueError(f"format {values['format']} is newer than ganstyle {__version__} can read")
    if odd := sorted(set(values) ^ set(KINDS)):
        raise ValueError(f"missing or unknown entries: {', '.join(odd)}")
    for name, kind in KINDS.items():
        if not isinstance(values[name], kind):
            raise TypeError(f"{name} is not a {kind.__name__}")
    tuples = {"styles": tuple(values["styles"]), "value_range": tuple(values["value_range"])}
    return Card(**values | tuples | {"metrics": tuple(Metric(**metric) for metric in values["metrics"])})


def missing(folder: Path) -> str:
    """Say what a folder lacks to be an artifact, and where the nearest artifacts are."""
    if not folder.is_dir():
        siblings = _artifacts_in(folder.parent)
        hint = suggestion(folder.name, siblings) if siblings else f"; give the folder that holds {WEIGHTS} and {CARD}."
        return f"there is no artifact at {folder}{hint}"
    if inner := _artifacts_in(folder):
        return (
            f"{folder} is a folder of artifacts; give one of them: {', '.join(str(folder / name) for name in inner)}."
        )
    lacking = " and ".join(name for name in (WEIGHTS, CARD) if not (folder / name).is_file()) or "a readable file"
    return f"{folder} is not a whole artifact: it lacks {lacking}; give the folder that holds both files."


def _artifacts_in(folder: Path) -> list[str]:
    return sorted(card.parent.name for card in folder.glob(f"*/{CARD}"))


def first_line(error: Exception) -> str:
    """The gist of another library's message, fit for a sentence."""
    return str(error).strip().splitlines()[0].rstrip(".;") if str(error).strip() else type(error).__name__
