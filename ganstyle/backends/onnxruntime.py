"""ONNX files, run by onnxruntime."""

import hashlib
from pathlib import Path
from typing import Any

from ganstyle.backends.label import label_in
from ganstyle.backends.model import Compute, Images, Mixtures, Model, missing_package, threads
from ganstyle.card import first_line
from ganstyle.errors import ArtifactError

IMAGE, STYLE, PICTURE = "image", "style", "picture"
"""The names of a graph's inputs and output."""


def load(path: Path) -> Model:
    """Read a file; raises ArtifactError when it cannot be run, BackendError without onnxruntime."""
    content = path.read_bytes()
    session = session_of(content, path)
    label = label_in(session.get_modelmeta().custom_metadata_map, path)
    return Model(label, "onnxruntime", path, hashlib.sha256(content).hexdigest(), compute_of(session))


def session_of(content: bytes, path: Path) -> Any:
    """Make onnxruntime ready to run a file's content, on the processor."""
    try:
        import onnxruntime
    except ImportError:
        raise missing_package("onnxruntime", "export") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors have no common kind
        raise ArtifactError(f"{path} cannot be run by onnxruntime ({first_line(error)}).") from error


def compute_of(session: Any) -> Compute:
    """Return the function that a graph is."""

    def compute(images: Images, mixtures: Mixtures | None) -> Images:
        given = {IMAGE: images} if mixtures is None else {IMAGE: images, STYLE: mixtures}
        picture: Images = session.run([PICTURE], given)[0]
        return picture

    return compute
