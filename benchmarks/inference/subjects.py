"""The networks that are timed: an artifact each, with its exports and their parity reports beside it."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import nn

from ganstyle import artifact
from ganstyle.backends.likeness import Bound
from ganstyle.backends.reports import report_path
from ganstyle.card import read_card
from ganstyle.export import parity
from ganstyle.export.errors import ExportError
from ganstyle.export.write import default_output, export
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet

DRAWN: Mapping[str, Callable[[], nn.Module]] = {"unet256": lambda: UNet(dropout_at_test=False), "resnet9": ResNet}
"""The papers' networks at full size, weights as they are before training."""
DRAWN_LICENCE = "drawn weights; no picture was seen"
EAGER = "eager"
EXPORTS = {
    "onnxruntime": ("onnx", "fp32"),
    "onnxruntime int8": ("onnx", "int8"),
    "openvino bf16": ("openvino", "bf16"),
    "openvino int8": ("openvino", "int8"),
}
"""The exported arms: format and precision."""


@dataclass(frozen=True)
class Subject:
    """A network to be timed."""

    name: str
    folder: Path
    """Of its artifact."""
    trained: bool

    def file(self, arm: str) -> Path:
        """Where the export for an arm is: beside the artifact, unless nobody may take it for one that passed."""
        place = default_output(self.folder, *EXPORTS[arm])
        return place if self.judges(arm) else place.parent / "unjudged" / place.name

    def described(self) -> dict[str, Any]:
        """What the network is."""
        card = read_card(self.folder)
        drawn = {"network": card.network, "arguments": card.arguments, "weights_sha256": card.weights_sha256}
        return drawn | {"trained": self.trained}

    def judges(self, arm: str) -> bool:
        """Whether the likeness of an export says something: with drawn weights, int8 has nothing to keep."""
        return self.trained or EXPORTS[arm][1] != "int8"

    def arm(self, model: Path) -> str:
        """Which arm runs a file; PyTorch runs the artifact's folder."""
        return next((arm for arm in EXPORTS if self.file(arm).name == model.name), EAGER)

    @property
    def arms(self) -> list[str]:
        """The exported arms that are there."""
        return [arm for arm in EXPORTS if self.file(arm).is_file()]


def subjects(work: Path, given: Mapping[str, Path]) -> list[Subject]:
    """Put every network's artifact into the working folder: the given ones are copied, the others drawn.

    A network that is there stays, with its exports, unless other weights are given.
    """
    found = []
    for name in [*DRAWN, *(name for name in given if name not in DRAWN)]:
        folder = work / name
        if name in given:
            _copy(given[name], folder)
        elif not folder.exists():
            torch.manual_seed(0)
            artifact.save(DRAWN[name](), folder, licence=DRAWN_LICENCE)
        found.append(Subject(name, folder, read_card(folder).licence != DRAWN_LICENCE))
    return found


def _copy(source: Path, folder: Path) -> None:
    """Copy an artifact unless it is there already; exports of another go."""
    if folder.exists():
        if read_card(folder).weights_sha256 == read_card(source).weights_sha256:
            return
        shutil.rmtree(folder)
        for place in (folder.parent, folder.parent / "unjudged"):
            for export in place.glob(f"{folder.name}.*"):
                export.unlink()
    shutil.copytree(source, folder)


def proven(subject: Subject, photographs: Path) -> list[dict[str, Any]]:
    """Export a network in every way that is not there yet; its parity reports, or why an export was refused.

    For the speed of int8 with drawn weights, OpenVINO's is enough.
    """
    ways = [arm for arm in EXPORTS if arm != "onnxruntime int8" or subject.trained]
    return [_proven(subject, arm, photographs) for arm in ways]


def _proven(subject: Subject, arm: str, photographs: Path) -> dict[str, Any]:
    head = {"network": subject.name, "arm": arm, "trained": subject.trained}
    file = subject.file(arm)
    try:
        if not file.exists():
            _export(subject, arm, photographs)
    except ExportError as error:
        return head | {"passed": False, "refused": str(error)}
    report = json.loads(report_path(file).read_text(encoding="utf-8"))
    kept = ("precision", "pictures", "bound", "sizes", "layers", "versions")
    passed = bool(report["passed"]) if subject.judges(arm) else None
    return head | {"passed": passed} | {name: report[name] for name in kept} | {"bytes": _size(file)}


def _export(subject: Subject, arm: str, photographs: Path) -> None:
    """Export; where the likeness says nothing, every layer is quantized, so that the speed is that of int8."""
    to, precision = EXPORTS[arm]
    bound = parity.BOUNDS[precision] if subject.judges(arm) else Bound()
    with patch.dict(parity.BOUNDS, {precision: bound}):
        export(subject.folder, subject.file(arm), to=to, precision=precision, calibrate=photographs)


def _size(file: Path) -> int:
    more = file.with_suffix(".bin").stat().st_size if file.suffix == ".xml" else 0
    return file.stat().st_size + more
