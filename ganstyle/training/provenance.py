"""Where a run comes from: what an artifact's card says of its training."""

import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import nn

from ganstyle.artifact import read_card
from ganstyle.metrics.features import feature_network
from ganstyle.nn.vgg import Perceptual

PACKAGES = ("torch", "torchvision", "pytorch-lightning", "albumentations", "numpy")


def provenance() -> dict[str, Any]:
    """Return ganstyle's commit, where it runs from a checkout, and the versions of what computes."""
    versions = {name: version(name) for name in PACKAGES}
    return {"commit": commit(), "versions": versions | {"python": platform.python_version()}}


def features_seen(method: nn.Module, perceptual: Mapping[str, Any]) -> dict[str, str]:
    """Name the frozen features that a method learned through, and their hash, so that a judge can use others.

    `perceptual` is the node of the configuration; a method without frozen features names none.
    """
    if not isinstance(getattr(method, "perceptual", None), Perceptual):
        return {}
    seen = feature_network(**{key: value for key, value in perceptual.items() if key != "_target_"})
    return {"features": seen.name, "features_sha256": seen.sha256}


def teacher_seen(method: Mapping[str, Any]) -> dict[str, Any]:
    """Name the trained network that a method learned from, if there is one; `method` is its configuration."""
    folder = (method.get("teacher") or {}).get("artifact")
    if folder is None:
        return {}
    card = read_card(folder)
    told = {"network": card.network, "arguments": dict(card.arguments), "weights_sha256": card.weights_sha256}
    return {"teacher": told | {"styles": list(card.styles), "licence": card.licence}}


def commit() -> str | None:
    """Return the commit of the checkout that this code runs from, marked "+" when it was changed; None elsewhere."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    head = _git(here, "rev-parse", "--short=12", "HEAD")
    changed = _git(here, "status", "--porcelain", "--untracked-files=no")
    return f"{head}+" if head and changed else head


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
