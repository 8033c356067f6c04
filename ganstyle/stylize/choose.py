"""Which file of a model is run: the fastest that is installed and has passed parity, or what was asked for."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ganstyle.backends.likeness import drawn
from ganstyle.backends.model import BackendError, Images, Model, missing_package, style_count
from ganstyle.backends.opened import BACKENDS, RUN_BY, opened, require_backend
from ganstyle.backends.pace import cached, least_milliseconds
from ganstyle.backends.reports import Passed, passed_beside
from ganstyle.card import read_card
from ganstyle.errors import GanstyleError, unknown

if TYPE_CHECKING:
    from ganstyle.artifact import Artifact

WORTH = 1.1
"""How many times as fast as PyTorch an export must have been for `auto` to take it."""


SIDE, MEMORY = 256, 10**10
"""Pixels: the sides of the picture that is compared and timed, once it is padded; and bytes, more than it takes."""


class Choice(NamedTuple):
    """What is run."""

    path: Path
    """An artifact's folder or an exported file."""
    instead: Path | None = None
    """The artifact that paints what an export cannot."""


def choose(model: Path, backend: str, tell: Callable[[str], None] = lambda words: None) -> Choice:
    """Choose among an artifact and the exports beside it; an exported file is its own choice.

    Exports that were judged on another processor, with other threads or by another version of their program are
    compared with the artifact and timed here, once; `tell` is told.
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
        installed = [export for export in passed if find_spec(export.backend)]
        gains = {export.path: export.gain if export.here else _gain(export, model, tell) for export in installed}
        fastest = max(gains, key=lambda path: gains[path], default=model)
        return Choice(fastest, model) if gains.get(fastest, 0) >= WORTH else Choice(model)
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


def _gain(export: Passed, model: Path, tell: Callable[[str], None]) -> float:
    """How many times as fast as PyTorch an export is here; 0 for one that cannot be run or is beyond its bound here."""

    def measure() -> float:
        from ganstyle import artifact

        tell(f"{export.path} was judged on another machine or by another {export.backend}; judging it here, once.")
        ours, theirs = artifact.load(model), opened(export.path)
        side = max(SIDE, int(ours.network.least_side))  # type: ignore[arg-type]
        picture = drawn(side - 5, side - 13, 0)
        ways = {name: partial(_painted, painter, picture) for name, painter in (("ours", ours), ("theirs", theirs))}
        if not export.bound.holds(ways["theirs"](), ways["ours"]()):
            tell(f"{export.path} does not paint here what {model} paints; it is not used.")
            return 0.0
        taken = least_milliseconds(ways)
        return taken["ours"] / max(taken["theirs"], 0.01)

    try:
        return cached(export.sha256, export.backend, measure)
    except GanstyleError as error:
        tell(f"{error} {export.path} is not used.")
        return 0.0


def _painted(painter: "Artifact | Model", picture: Images) -> Images:
    import torch

    from ganstyle.stylize.controls import Controls
    from ganstyle.stylize.paint import brush_of, image_painted

    style = 0 if style_count(painter.card) else None
    brush = brush_of(painter, Controls(style=style), MEMORY)
    return image_painted(brush, torch.from_numpy(picture[0])).numpy()[None]
