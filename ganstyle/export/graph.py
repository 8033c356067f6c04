"""A generator as an ONNX graph of any height, width and batch."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import jaxtyping
import torch
from torch import nn
from torch.export import Dim

from ganstyle.backends.label import KEY, Label
from ganstyle.backends.model import missing_package
from ganstyle.backends.onnxruntime import IMAGE, PICTURE, STYLE
from ganstyle.export.portable import example, traceable

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 20
LOUD = ("torch.onnx", "onnxscript", "onnx_ir", "torch.export", "torch.utils.cpp_extension")
"""Who remarks on its own insides."""
FREE = {0: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: Dim.DYNAMIC}
"""Which axes of an image may be of any length."""


def graph_of(network: nn.Module) -> "ModelProto":
    """Trace a network. Raises BackendError without onnx and onnxscript."""
    given = example(network)
    try:
        with quiet():
            program = torch.onnx.export(
                traceable(network),
                given,
                dynamo=True,
                opset_version=OPSET,
                dynamic_shapes=free_axes(given),
                input_names=[IMAGE, STYLE][: len(given)],
                output_names=[PICTURE],
                verbose=False,
            )
    except ImportError:
        raise missing_package("onnx with onnxscript", "export") from None
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program")
    return _plain(program.model_proto)


def free_axes(given: Sequence[torch.Tensor]) -> tuple[dict[int, Any], ...]:
    """Say which axes of the inputs may be of any length; of a mixture of styles, that of the batch."""
    return (FREE, {0: Dim.DYNAMIC})[: len(given)]


def labeled(graph: "ModelProto", label: Label) -> bytes:
    """Write a graph with what it says of itself."""
    del graph.metadata_props[:]
    entry = graph.metadata_props.add()
    entry.key, entry.value = KEY, label.text()
    content: bytes = graph.SerializeToString(deterministic=True)
    return content


def _plain(graph: "ModelProto") -> "ModelProto":
    """Take out what the tracer noted of the machine's files, and name the free axes."""
    for part in (graph, graph.graph, *graph.graph.node, *graph.graph.initializer, *graph.graph.value_info):
        del part.metadata_props[:]
        if hasattr(part, "doc_string"):
            part.doc_string = ""
    del graph.graph.value_info[:]
    for value in (*graph.graph.input, *graph.graph.output):
        del value.metadata_props[:]
        axes = value.type.tensor_type.shape.dim
        axes[0].dim_param = "batch"
        if len(axes) == 4:
            axes[2].dim_param, axes[3].dim_param = "height", "width"
    graph.producer_name, graph.producer_version = "ganstyle", ""
    return graph


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the tracer's remarks on its insides from the user, and checks of shapes from what has symbols for them."""
    checked = not jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    loud = [logging.getLogger(name) for name in LOUD]
    levels = [logger.level for logger in loud]
    for logger in loud:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", not checked)
        for logger, level in zip(loud, levels, strict=True):
            logger.setLevel(level)
