"""Which file of a model is run: the fastest that is installed and has passed parity, or what was asked for."""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ganstyle.backends.model import BackendError, missing_package
from ganstyle.backends.opened import BACKENDS, RUN_BY, require_backend
from ganstyle.backends.reports import passed_beside
from ganstyle.card import read_card
from ganstyle.errors import unknown

WORTH = 1.1
"""How many times as fast as PyTorch an export must have been for `auto` to take it."""


class Choice(NamedTuple):
    """What is run."""

    path: Path
    """An artifact's folder or an exported file."""
    instead: Path | None = None
    """The artifact that paints what an export cannot."""


def choose(model: Path, backend: str) -> Choice:
    """Choose among an artifact and the exports beside it; an exported file is its own choice.

    Raises BackendError when the backend is unknown, not installed, not the file's, or has no export that passed.
    """
    if backend not in ("auto", *BACKENDS):
        raise BackendError(unknown("backend", backend, ("auto", *BACKENDS)))
    if model.suffix.lower() in RUN_BY and not model.is_dir():
        require_backend(model, backend)
        return Choice(model)
    if backend == "torch":
        return Choice(model)
    passed = passed_beside(model, read_card(model))
    if backend == "auto":
        fast = [export for export in passed if export.gain >= WORTH and find_spec(export.backend)]
        return Choice(fast[0].path, model) if fast else Choice(model)
    if not find_spec(backend):
        raise missing_package(backend, "export" if backend == "onnxruntime" else backend)
    own = [export for export in passed if export.backend == backend]
    if not own:
        form = {"onnxruntime": "onnx", "openvino": "openvino"}[backend]
        raise BackendError(
            f"beside {model} there is no export of it for {backend} that passed parity; "
            f"`ganstyle export {model} --to {form}` makes one."
        )
    return Choice(own[0].path)
