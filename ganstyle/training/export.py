"""From a checkpoint, or from a run that just ended, to artifacts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from ganstyle import artifact
from ganstyle.artifact import Metric
from ganstyle.errors import CheckpointError
from ganstyle.training import checkpoint


def describe(network: nn.Module) -> dict[str, Any]:
    """Return the class and the arguments of a generator in plain values, from which `rebuild` makes it again.

    Raises:
        ArtifactError: no artifact can hold such a network.
    """
    return {"network": artifact.name_of(network), "arguments": dict(network.arguments)}  # type: ignore[arg-type]


def rebuild(description: Mapping[str, Any]) -> nn.Module:
    """Build the network that `describe` described; the class comes from the artifact's table, never from the file."""
    kind = artifact.NETWORKS.get(description["network"])
    if kind is None:
        raise CheckpointError(f"this checkpoint holds a {description['network']}, which cannot become an artifact.")
    return kind(**description["arguments"])


def save_artifacts(
    generators: Mapping[str, nn.Module], folder: Path, card: Mapping[str, Any], metrics: Sequence[Metric] = ()
) -> list[Path]:
    """Write one artifact per generator: in `folder` itself where there is one, else in a folder each."""
    paths = [folder] if len(generators) == 1 else [folder / name for name in generators]
    for path, network in zip(paths, generators.values(), strict=True):
        artifact.save(network, path, metrics=metrics, **card)
    return paths


def export_artifact(path: Path, folder: Path) -> list[Path]:
    """Write the artifacts of a checkpoint, or of a run folder's last one; its configuration builds nothing.

    Raises:
        CheckpointError: there is no readable checkpoint.
    """
    file = path / "checkpoints" / "last.ckpt" if path.is_dir() else path
    state = checkpoint.load(file)
    generators = {name: rebuild(description) for name, description in state["artifacts"].items()}
    for name, network in generators.items():
        network.load_state_dict(state["generators"][name])
    card = state["card"]
    training = card["training"] | {"images_seen": state["images_seen"]}
    return save_artifacts(generators, folder, {**card, "training": training})
