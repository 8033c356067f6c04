"""What a training run leaves behind, and all that later steps need: a folder of two files.

`weights.safetensors` holds the tensors of one generator, `card.json` says how to build it and where it comes from.
Nothing here unpickles, and nothing in a card is run: the network's class is looked up in `NETWORKS`.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from torch import Tensor, nn

from ganstyle import __version__
from ganstyle.beside import beside, folder_beside
from ganstyle.card import CARD, KINDS, WEIGHTS, Card, Metric, first_line, missing, plain_card, read_card
from ganstyle.errors import ArtifactError, GanstyleError, unknown
from ganstyle.nn.authors import AuthorsResNet
from ganstyle.nn.light import Light
from ganstyle.nn.microast import MicroASTStyle
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.transform_net import FastStyle, TransformNet
from ganstyle.nn.unet import UNet

__all__ = [
    "CARD",
    "KINDS",
    "NETWORKS",
    "WEIGHTS",
    "Artifact",
    "Card",
    "Metric",
    "assembled",
    "is_replaceable",
    "load",
    "plain_card",
    "read_card",
    "record",
    "save",
]

NETWORKS: Mapping[str, type[nn.Module]] = {
    "unet": UNet,
    "resnet": ResNet,
    "light": Light,
    "authors_resnet": AuthorsResNet,
    "transform_net": TransformNet,
    "fast_style": FastStyle,
    "microast": MicroASTStyle,
}


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
        network=name_of(plain),
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
    return assembled(card, _tensors(card, folder), folder)


def assembled(card: Card, tensors: Mapping[str, Tensor], source: Path) -> Artifact:
    """Put a network together from its card and its weights, which come from `source`.

    Raises ArtifactError where they do not fit.
    """
    network = _built(card, source)
    if misfit := _misfit(tensors, network.state_dict()):
        raise ArtifactError(
            f"the weights in {source} do not fit the {card.network!r} network of its card, beginning with {misfit!r}; "
            f"train or fetch the artifact again."
        )
    network.load_state_dict(tensors)
    return Artifact(network.eval().requires_grad_(False), card)


def record(folder: Path | str, metrics: Sequence[Metric]) -> Card:
    """Write what was measured into an artifact's card, in place of numbers of the same names, and return the card.

    The card changes at once or not at all; the weights are not touched. Raises ArtifactError as `read_card` does, or
    when a value is not finite or the card cannot be written.
    """
    path = Path(folder) / CARD
    card = read_card(folder)
    fresh = {metric.name for metric in metrics}
    changed = replace(card, metrics=(*(old for old in card.metrics if old.name not in fresh), *metrics))
    try:
        with beside(path) as temporary:
            _write_through(temporary, _written(changed))
            temporary.replace(path)
    except OSError as error:
        raise ArtifactError(f"the card {path} cannot be written: {error.strerror or error}.") from error
    return changed


def is_replaceable(folder: Path) -> bool:
    """Whether the folder holds nothing but an artifact's two files, or nothing at all."""
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= {WEIGHTS, CARD}


def _uncompiled(network: nn.Module) -> nn.Module:
    """The network inside `torch.compile`'s wrapper, if there is one."""
    inner = getattr(network, "_orig_mod", network)
    return inner if isinstance(inner, nn.Module) else network


def name_of(network: nn.Module) -> str:
    """Say by which name a card knows a network's class; raises ArtifactError for one that no artifact can hold."""
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
            f"an artifact's card holds plain, finite values only ({first_line(error)}); convert what you pass to save."
        ) from error
    return (text + "\n").encode()


def _publish(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files beside the folder, then rename them into place at once."""
    if folder.exists() and not is_replaceable(folder):
        raise ArtifactError(f"{folder} exists and is not an artifact; choose another folder, or remove this one.")
    try:
        with folder_beside(folder) as fresh:
            for name, content in files.items():
                _write_through(fresh / name, content)
    except OSError as error:
        raise ArtifactError(f"the artifact cannot be written to {folder}: {error.strerror or error}.") from error


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _built(card: Card, folder: Path) -> nn.Module:
    """The network that a card describes, with weights still to come."""
    if card.network not in NETWORKS:
        raise ArtifactError(unknown(f"network in {folder / CARD}:", card.network, NETWORKS))
    try:
        with torch.random.fork_rng(devices=[]):
            return NETWORKS[card.network](**card.arguments)
    except (TypeError, ValueError, ArithmeticError, RuntimeError, MemoryError, GanstyleError) as error:
        raise ArtifactError(
            f"the card {folder / CARD} has arguments that {card.network!r} does not take ({first_line(error)}); "
            f"train or fetch the artifact again."
        ) from error


def _tensors(card: Card, folder: Path) -> dict[str, Tensor]:
    """The weights, if they are the ones that the card vouches for."""
    try:
        weights = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ArtifactError(missing(folder)) from error
    if hashlib.sha256(weights).hexdigest() != card.weights_sha256:
        raise ArtifactError(
            f"{folder / WEIGHTS} is damaged: its SHA-256 is not the one on the card; train or fetch the artifact again."
        )
    try:
        return tensors_of(weights)
    except SafetensorError as error:
        raise ArtifactError(f"{folder / WEIGHTS} is not a safetensors file ({first_line(error)}).") from error


def _misfit(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str | None:
    """The first name, in order, whose tensor is missing, not asked for, or of another shape."""
    for name in sorted(tensors.keys() | expected.keys()):
        if name not in tensors or name not in expected or tensors[name].shape != expected[name].shape:
            return name
    return None
