"""The parity reports beside exported files: which exports of an artifact there are, and which is the fastest."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganstyle.backends.installed import installed_version
from ganstyle.backends.likeness import Bound, bound_in
from ganstyle.backends.opened import RUN_BY
from ganstyle.backends.pace import machine
from ganstyle.card import Card

SUFFIX = ".parity.json"


@dataclass(frozen=True)
class Passed:
    """An export that has passed parity."""

    path: Path
    backend: str
    precision: str
    gain: float
    """How many times as fast as PyTorch it was where it was exported."""
    here: bool
    """Whether that was on a processor like this one, with as many threads, by the same version of the backend."""
    sha256: str
    bound: Bound
    """How far it may be from its artifact."""


def report_path(path: Path) -> Path:
    """Where the report of an exported file is."""
    return path.with_name(path.name + SUFFIX)


def files_of(path: Path) -> tuple[Path, ...]:
    """Return what an export consists of beside its report: of OpenVINO, a second file with the weights."""
    return (path, path.with_suffix(".bin")) if path.suffix == ".xml" else (path,)


def sha256_of(path: Path) -> str:
    """Of an exported file; of OpenVINO's, both."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files_of(path))).hexdigest()


def passed_beside(folder: Path, card: Card) -> list[Passed]:
    """The exports beside an artifact's folder, NAME.*, of the very same network, that passed; the fastest first."""
    place = folder.resolve()
    files = [path for path in sorted(place.parent.glob(f"{place.name}.*")) if path.suffix in RUN_BY]
    found = [export for path in files if (export := _passed(path, card))]
    return sorted(found, key=lambda export: -export.gain)


def _passed(path: Path, card: Card) -> Passed | None:
    """Read a file's report; nothing where it is missing, of another network or file, or a failure."""
    try:
        report: dict[str, Any] = json.loads(report_path(path).read_text(encoding="utf-8"))
        same = report["weights_sha256"] == card.weights_sha256 and report["arguments"] == dict(card.arguments)
        if not (report["passed"] is True and same and report["sha256"] == sha256_of(path)):
            return None
        speed, backend = report["speed"], RUN_BY[path.suffix]
        gain = speed["torch_milliseconds"] / speed["milliseconds"]
        here = {name: speed.get(name) for name in ("processor", "threads")} == machine()
        here = here and report["versions"].get(backend) == installed_version(backend)
        precision, bound = str(report["precision"]), bound_in(report)
        return Passed(path, backend, precision, float(gain), here, report["sha256"], bound)
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError):
        return None
