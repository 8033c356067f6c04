"""Whatever a model may be given as: an artifact's folder, or an exported file."""

from pathlib import Path
from typing import TYPE_CHECKING

from ganstyle.backends.model import BackendError, Model
from ganstyle.errors import ArtifactError, suggestion

if TYPE_CHECKING:
    from ganstyle.artifact import Artifact

BACKENDS = ("torch", "onnxruntime", "openvino")
RUN_BY = {".onnx": "onnxruntime", ".xml": "openvino", ".pt2": "torch", ".safetensors": "torch"}
"""Which backend runs a file, by its suffix."""


def opened(path: Path) -> "Artifact | Model":
    """Read a model. Raises ArtifactError for one that is missing or damaged, BackendError when nothing runs it here."""
    if path.suffix.lower() not in RUN_BY or path.is_dir():
        return _folder(path)
    if not path.is_file():
        near = [str(file.name) for file in path.parent.glob("*") if file.suffix in RUN_BY]
        hint = suggestion(path.name, near) if near else "; `ganstyle export` makes one."
        raise ArtifactError(f"there is no file {path}{hint}")
    return _file(path)


def require_backend(path: Path, backend: str) -> None:
    """Raise BackendError when a file is not for the backend that is asked for."""
    runs = RUN_BY.get(path.suffix.lower())
    if runs is not None and backend not in ("auto", runs):
        raise BackendError(f"{path} is run by {runs}, not by {backend}; leave out --backend, or give another --model.")


def _file(path: Path) -> "Artifact | Model":
    match path.suffix.lower():
        case ".onnx":
            from ganstyle.backends import onnxruntime

            return onnxruntime.load(path)
        case ".xml":
            from ganstyle.backends import openvino

            return openvino.load(path)
        case ".pt2":
            from ganstyle.backends import torch_export

            return torch_export.load(path)
    from ganstyle.backends import weights

    return weights.load(path)


def _folder(path: Path) -> "Artifact":
    if path.is_file():
        raise ArtifactError(f"{path} is no artifact and no export; exports end in {', '.join(RUN_BY)}.")
    from ganstyle import artifact

    return artifact.load(path)
