"""What a training run leaves behind, and all that later steps need: a folder of two files.

`weights.safetensors` holds the tensors of one generator, `card.json` says how to build it and where it comes from.
Nothing here unpickles, and nothing in a card is run: the network's class is looked up in `NETWORKS`.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from torch import Tensor, nn

from ganstyle import __version__
from ganstyle.errors import ArtifactError, GanstyleError, suggestion, unknown
from ganstyle.nn.light import Light
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet

NETWORKS: Mapping[str, type[nn.Module]] = {"unet": UNet, "resnet": ResNet, "light": Light}
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
    """A key of `NETWORKS`."""
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


@dataclass(frozen=True)
class Artifact:
    """A trained generator, ready to use, and its card."""

    network: nn.Module
    card: Card


def save(
    network: nn.Module,
    folder: Path | str,
    *,
    styles: Sequence[str] = (),
    data: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    losses: Mapping[str, Mapping[str, int | float]] | None = None,
    metrics: Sequence[Metric] = (),
    licence: str = "unstated",
) -> Card:
    """Write a network and its card, which is returned.

    The folder appears whole or not at all, and replaces an older artifact there.
    The network may be compiled; averaged weights come as a plain network that holds them. Raises ArtifactError for a
    class that is not in `NETWORKS`, a card that is not plain values, or a folder that holds something else.
    """
    plain = _uncompiled(network)
    weights = bytes_of(_portable(plain))
    card = Card(
        network=_name_of(plain),
        arguments=dict(plain.arguments),  # type: ignore[arg-type]
        size_multiple=int(plain.size_multiple),  # type: ignore[arg-type]
        styles=tuple(styles),
        data=dict(data or {}),
        training=dict(training or {}),
        losses={player: _floats(terms) for player, terms in (losses or {}).items()},
        metrics=tuple(metrics),
        licence=licence,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        ganstyle=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    _publish(Path(folder), {WEIGHTS: weights, CARD: _written(card)})
    return card


def load(folder: Path | str) -> Artifact:
    """Read an artifact back: a network in eval mode on the CPU, with exactly the weights that its card vouches for.

    Leaves the random state untouched. Raises ArtifactError when a file is missing, damaged, or not what the card says.
    """
    folder = Path(folder)
    card = read_card(folder)
    network = _built(card, folder)
    tensors = _tensors(card, folder)
    if misfit := _misfit(tensors, network.state_dict()):
        raise ArtifactError(
            f"the weights in {folder} do not fit the {card.network!r} network of its card, beginning with {misfit!r}; "
            f"train or fetch the artifact again."
        )
    network.load_state_dict(tensors)
    return Artifact(network.eval().requires_grad_(False), card)


def read_card(folder: Path | str) -> Card:
    """Read an artifact's card without its weights; raises ArtifactError when it is missing, damaged or too new."""
    folder = Path(folder)
    try:
        text = (folder / CARD).read_text(encoding="utf-8")
    except OSError as error:
        raise ArtifactError(_missing(folder)) from error
    try:
        return _parsed(json.loads(text))
    except (ValueError, TypeError) as error:
        raise ArtifactError(
            f"the card {folder / CARD} is damaged ({_first_line(error)}); train or fetch the artifact again."
        ) from error


def record(folder: Path | str, metrics: Sequence[Metric]) -> Card:
    """Write what was measured into an artifact's card, in place of numbers of the same names, and return the card.

    The card changes at once or not at all; the weights are not touched. Raises ArtifactError as `read_card` does, or
    when a value is not finite or the card cannot be written.
    """
    path = Path(folder) / CARD
    card = read_card(folder)
    fresh = {metric.name for metric in metrics}
    changed = replace(card, metrics=(*(old for old in card.metrics if old.name not in fresh), *metrics))
    temporary = path.with_name(f".{CARD}.{token_hex(4)}")
    try:
        _write_through(temporary, _written(changed))
        temporary.replace(path)
    except OSError as error:
        raise ArtifactError(f"the card {path} cannot be written: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)
    return changed


def plain_card(card: Card) -> dict[str, Any]:
    """The card as it stands in the file: dicts, lists, strings and numbers."""
    return asdict(card)


def _uncompiled(network: nn.Module) -> nn.Module:
    """The network inside `torch.compile`'s wrapper, if there is one."""
    inner = getattr(network, "_orig_mod", network)
    return inner if isinstance(inner, nn.Module) else network


def _name_of(network: nn.Module) -> str:
    for name, kind in NETWORKS.items():
        if type(network) is kind:
            return name
    raise ArtifactError(
        f"a {type(network).__name__} cannot be saved as an artifact; there is {', '.join(NETWORKS)}: "
        f"add the class to ganstyle.artifact.NETWORKS."
    )


def _portable(network: nn.Module) -> dict[str, Tensor]:
    """The state on the CPU, each tensor with memory of its own, without the prefixes that `torch.compile` adds."""
    state = network.state_dict()
    return {name.replace("_orig_mod.", ""): value.detach().cpu().contiguous().clone() for name, value in state.items()}


def _floats(terms: Mapping[str, int | float]) -> dict[str, float]:
    return {term: float(weight) for term, weight in terms.items()}


def _written(card: Card) -> bytes:
    try:
        text = json.dumps(plain_card(card), indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ArtifactError(
            f"an artifact's card holds plain, finite values only ({_first_line(error)}); convert what you pass to save."
        ) from error
    return (text + "\n").encode()


def _publish(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files beside the folder, then rename them into place at once."""
    if folder.exists() and not _replaceable(folder):
        raise ArtifactError(f"{folder} exists and is not an artifact; choose another folder, or remove this one.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as workplace:
            fresh = Path(workplace) / "new"
            fresh.mkdir()
            for name, content in files.items():
                _write_through(fresh / name, content)
            _swap(fresh, folder, Path(workplace) / "old")
    except OSError as error:
        raise ArtifactError(f"the artifact cannot be written to {folder}: {error.strerror or error}.") from error


def _replaceable(folder: Path) -> bool:
    """Whether the folder holds nothing but an artifact's two files."""
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= {WEIGHTS, CARD}


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _swap(fresh: Path, folder: Path, old: Path) -> None:
    """Rename fresh to folder; an older artifact moves aside first, and back if that fails."""
    if not folder.exists():
        fresh.rename(folder)
        return
    folder.rename(old)
    try:
        fresh.rename(folder)
    except OSError:
        old.rename(folder)
        raise


def _parsed(values: Any) -> Card:
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


def _built(card: Card, folder: Path) -> nn.Module:
    """The network that a card describes, with weights still to come."""
    if card.network not in NETWORKS:
        raise ArtifactError(unknown(f"network in {folder / CARD}:", card.network, NETWORKS))
    try:
        with torch.random.fork_rng(devices=[]):
            return NETWORKS[card.network](**card.arguments)
    except (TypeError, ValueError, ArithmeticError, RuntimeError, MemoryError, GanstyleError) as error:
        raise ArtifactError(
            f"the card {folder / CARD} has arguments that {card.network!r} does not take ({_first_line(error)}); "
            f"train or fetch the artifact again."
        ) from error


def _tensors(card: Card, folder: Path) -> dict[str, Tensor]:
    """The weights, if they are the ones that the card vouches for."""
    try:
        weights = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ArtifactError(_missing(folder)) from error
    if hashlib.sha256(weights).hexdigest() != card.weights_sha256:
        raise ArtifactError(
            f"{folder / WEIGHTS} is damaged: its SHA-256 is not the one on the card; train or fetch the artifact again."
        )
    try:
        return tensors_of(weights)
    except SafetensorError as error:
        raise ArtifactError(f"{folder / WEIGHTS} is not a safetensors file ({_first_line(error)}).") from error


def _misfit(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str | None:
    """The first name, in order, whose tensor is missing, not asked for, or of another shape."""
    for name in sorted(tensors.keys() | expected.keys()):
        if name not in tensors or name not in expected or tensors[name].shape != expected[name].shape:
            return name
    return None


def _missing(folder: Path) -> str:
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


def _first_line(error: Exception) -> str:
    """The gist of another library's message, fit for a sentence."""
    return str(error).strip().splitlines()[0].rstrip(".;") if str(error).strip() else type(error).__name__
