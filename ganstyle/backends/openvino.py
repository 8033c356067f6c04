"""OpenVINO's own files, run by OpenVINO on the processor."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from ganstyle.backends.label import KEY, Label, label_in
from ganstyle.backends.model import Compute, Images, Mixtures, Model, missing_package, threads
from ganstyle.card import first_line
from ganstyle.errors import ArtifactError

ARITHMETIC = {"fp32": "f32", "fp16": "f32", "bf16": "bf16", "int8": "bf16"}
"""What the processor computes in, by precision; in int8, the layers that were not quantized. fp16 stores weights."""


def load(path: Path) -> Model:
    """Read an .xml file and the .bin file beside it; raises ArtifactError, or BackendError without OpenVINO."""
    try:
        import openvino
    except ImportError:
        raise missing_package("openvino", "openvino") from None
    try:
        content = path.read_bytes() + path.with_suffix(".bin").read_bytes()
        graph = openvino.Core().read_model(path)
    except (OSError, RuntimeError) as error:
        raise ArtifactError(f"{path} and its .bin file cannot be run by OpenVINO ({first_line(error)}).") from error
    label = label_in({KEY: str(graph.get_rt_info(KEY).value)} if graph.has_rt_info(KEY) else {}, path)
    return Model(label, "openvino", path, hashlib.sha256(content).hexdigest(), compute_of(graph, label))


def compute_of(graph: Any, label: Label) -> Compute:
    """Return the function that a graph is, in the arithmetic of its precision."""
    import openvino

    options = {"INFERENCE_PRECISION_HINT": ARITHMETIC[label.precision], "INFERENCE_NUM_THREADS": threads()}
    compiled = openvino.Core().compile_model(graph, "CPU", options)

    def compute(images: Images, mixtures: Mixtures | None) -> Images:
        given = [images] if mixtures is None else [images, mixtures]
        return np.array(compiled(given)[0])

    return compute
