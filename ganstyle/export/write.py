"""From an artifact to an exported file with its parity report: both, or neither."""

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ganstyle import __version__, artifact
from ganstyle.artifact import Artifact
from ganstyle.backends.installed import installed_version
from ganstyle.backends.label import Label
from ganstyle.backends.model import Compute, Images, Mixtures
from ganstyle.backends.opened import RUN_BY, opened
from ganstyle.backends.reports import files_of, report_path, sha256_of
from ganstyle.errors import unknown
from ganstyle.export import cost, drafts, parity
from ganstyle.export.drafts import Draft
from ganstyle.export.errors import ExportError, ParityError
from ganstyle.export.int8 import MARGINS
from ganstyle.export.pictures import judged, picture_files
from ganstyle.export.portable import portable, reference


class Format(NamedTuple):
    """A kind of file."""

    suffix: str
    draft: Callable[[Artifact, str], Draft]
    eight_bits: bool = False
    """Whether there is int8."""


FORMATS = {
    "onnx": Format(".onnx", drafts.onnx, eight_bits=True),
    "openvino": Format(".xml", drafts.openvino, eight_bits=True),
    "torch-export": Format(".pt2", drafts.torch_export),
    "safetensors": Format(".safetensors", drafts.safetensors),
}
PACKAGES = ("torch", "onnx", "onnxscript", "onnxruntime", "openvino", "nncf", "numpy")


class Export(NamedTuple):
    """What was written."""

    path: Path
    report: dict[str, Any]
    """As in the file beside it."""


def default_output(folder: Path, to: str, precision: str) -> Path:
    """Where an export goes by default: beside the artifact, where `ganstyle stylize` looks for it."""
    return folder.resolve().parent / f"{folder.resolve().name}.{precision}{_format(to, precision).suffix}"


def export(
    folder: Path, output: Path, *, to: str, precision: str = "fp32", calibrate: Path | None = None, noise: bool = True
) -> Export:
    """Export an artifact; the file and its report appear whole or not at all, in place of older ones.

    Args:
        folder: of the artifact.
        output: the file; its suffix is that of the format.
        to: a key of `FORMATS`.
        precision: fp32, fp16, bf16 or int8.
        calibrate: a folder of photographs to judge on, and to calibrate int8 with.
        noise: whether a network that draws at test is refused; otherwise it is exported without what it draws.

    Raises:
        ExportError: a format that lacks the precision, int8 without pictures, a network that draws, or a file that
            cannot be written.
        ParityError: the file would paint other pictures.
        ArtifactError, BackendError: no artifact; a package that is missing.
    """
    form = _format(to, precision)
    if output.suffix != form.suffix:
        raise ExportError(f"--output is {output}, but files for {to} end in {form.suffix}; rename it.")
    files = picture_files(calibrate) if calibrate else []
    source = portable(artifact.load(folder), noise=noise)
    tries = [partial(_quantized, source, to, files, margin) for margin in MARGINS] if precision == "int8" else []
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=output.parent) as place:
            path = Path(place) / output.name
            report = _first_proven(tries or [partial(form.draft, source, precision)], source, path, precision, files)
            _publish(path, output, report)
    except OSError as error:
        raise ExportError(f"{output} cannot be written: {error.strerror or error}.") from error
    return Export(output, report)


def _format(to: str, precision: str) -> Format:
    if to not in FORMATS:
        raise ExportError(unknown("format", to, FORMATS))
    if precision not in parity.BOUNDS:
        raise ExportError(unknown("precision", precision, parity.BOUNDS))
    if precision == "int8" and not FORMATS[to].eight_bits:
        raise ExportError(f"there is no int8 for {to}; export to onnx or openvino, or take --precision fp16.")
    return FORMATS[to]


def _first_proven(
    tries: Sequence[Callable[[], Draft]], source: Artifact, path: Path, precision: str, files: Sequence[Path]
) -> dict[str, Any]:
    """Write the first draft that passes; the report of it. Raises ParityError when none does."""
    for draft in tries[:-1]:
        with suppress(ParityError):
            return _proven(source, draft(), path, precision, files)
    return _proven(source, tries[-1](), path, precision, files)


def _quantized(source: Artifact, to: str, files: Sequence[Path], margin: float) -> Draft:
    if not files:
        raise ExportError("int8 is calibrated on photographs; give a folder of them as --calibrate.")
    if to == "onnx":
        from ganstyle.export.onnx_int8 import draft as of_onnx

        return of_onnx(source, files, margin)
    from ganstyle.export.openvino_int8 import draft as of_openvino

    return of_openvino(source, files, margin)


def _proven(source: Artifact, draft: Draft, path: Path, precision: str, files: Sequence[Path]) -> dict[str, Any]:
    """Write a file, run it, and measure what it takes; the report of it. Raises ParityError."""
    draft.write(path, Label(source.card, precision, 0.0))
    compute = computing(path)
    rows = parity.compared(source, compute, judged(files) if files else ())
    parity.require(rows, precision, path.name)
    if path.suffix != ".safetensors":
        memory = cost.bytes_per_pixel(path, source)
        del compute
        draft.write(path, Label(source.card, precision, memory))
        compute = computing(path)
    return {
        "ganstyle": "parity",
        "file": path.name,
        "sha256": sha256_of(path),
        "backend": RUN_BY[path.suffix],
        "precision": precision,
        "weights_sha256": source.card.weights_sha256,
        "arguments": source.card.arguments,
        "pictures": "photographs" if files else "drawn",
        **parity.plain_rows(rows, precision),
        "bytes_per_pixel": None if path.suffix == ".safetensors" else memory,
        "speed": cost.speed(source, compute),
        "layers": {"int8": draft.quantized, "kept": draft.kept} if precision == "int8" else None,
        "versions": _versions(),
    }


def computing(path: Path) -> Compute:
    """Return the function that an exported file is."""
    model = opened(path)
    if isinstance(model, Artifact):
        found = model

        def compute(images: Images, mixtures: Mixtures | None) -> Images:
            return reference(found, images, mixtures)

        return compute
    return model.compute


def _publish(path: Path, output: Path, report: dict[str, Any]) -> None:
    """Move the files into place, the report first: a file without its report is none that has passed."""
    told = report_path(path)
    told.write_text(json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    (own, *others), (place, *places) = files_of(path), files_of(output)
    moves = [*zip(others, places, strict=True), (told, report_path(output)), (own, place)]
    for fresh, _ in moves:
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
    for fresh, place in moves:
        fresh.replace(place)


def _versions() -> dict[str, str]:
    return {"ganstyle": __version__} | {name: found for name in PACKAGES if (found := installed_version(name))}
