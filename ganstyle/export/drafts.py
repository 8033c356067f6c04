"""How each kind of file is written; a draft waits for its label, which says what was measured of it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from safetensors.torch import save as bytes_of
from torch import Tensor, nn

from ganstyle.artifact import Artifact
from ganstyle.backends.label import KEY, Label
from ganstyle.backends.model import missing_package
from ganstyle.export.graph import free_axes, graph_of, labeled, quiet
from ganstyle.export.portable import example, traceable

if TYPE_CHECKING:
    from onnx import ModelProto

SIXTEEN = {"fp16": torch.float16, "bf16": torch.bfloat16}


class Draft(NamedTuple):
    """A file that is yet to be written."""

    write: Callable[[Path, Label], None]
    kept: tuple[str, ...] = ()
    """The layers that int8 left in a higher precision, by name in the graph."""
    quantized: int = 0
    """How many layers are in int8."""


def onnx(artifact: Artifact, precision: str) -> Draft:
    """An ONNX file; with 16 bits, they hold the weights, and the arithmetic is what the runtime makes of them."""
    graph = graph_of(artifact.network)
    return onnx_draft(graph if precision == "fp32" else with_short_weights(graph, precision))


def onnx_draft(graph: "ModelProto") -> Draft:
    """An ONNX file of a graph."""
    return Draft(lambda path, label: _write(path, labeled(graph, label)))


def openvino(artifact: Artifact, precision: str) -> Draft:
    """OpenVINO's pair of files; weights take 16 bits in fp16 and bf16, the arithmetic follows the label."""
    return openvino_draft(openvino_graph(graph_of(artifact.network)), short=precision != "fp32")


def openvino_graph(graph: "ModelProto") -> "object":
    """Turn an ONNX graph into OpenVINO's. Raises BackendError without OpenVINO."""
    try:
        import openvino as ov
    except ImportError:
        raise missing_package("openvino", "openvino") from None
    return ov.Core().read_model(graph.SerializeToString())


def openvino_draft(graph: object, *, short: bool) -> Draft:
    """OpenVINO's pair of files of a graph."""
    import openvino as ov

    def write(path: Path, label: Label) -> None:
        graph.set_rt_info(label.text(), KEY)  # type: ignore[attr-defined]
        ov.save_model(graph, path, compress_to_fp16=short)

    return Draft(write)


def torch_export(artifact: Artifact, precision: str) -> Draft:
    """A program of torch.export; with 16 bits, it computes in them."""
    network = traceable(artifact.network)
    if precision != "fp32":
        network = _Short(network, SIXTEEN[precision])
    given = example(artifact.network)
    with quiet():
        program = torch.export.export(network, given, dynamic_shapes=free_axes(given))

    def write(path: Path, label: Label) -> None:
        with quiet():
            torch.export.save(program, path, extra_files={KEY: label.text()})

    return Draft(write)


def safetensors(artifact: Artifact, precision: str) -> Draft:
    """The weights alone, and the card that says how to build their network."""
    kind = SIXTEEN.get(precision, torch.float32)
    weights = {name: _stored(value, kind) for name, value in artifact.network.state_dict().items()}
    return Draft(lambda path, label: _write(path, bytes_of(weights, {KEY: label.text()})))


def with_short_weights(graph: "ModelProto", precision: str) -> "ModelProto":
    """Store every weight of a graph in 16 bits, and widen it where it is used."""
    from onnx import TensorProto, helper, numpy_helper

    short = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}[precision]
    kind = helper.tensor_dtype_to_np_dtype(short)
    casts = []
    for tensor in graph.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            values, name = numpy_helper.to_array(tensor), tensor.name
            tensor.CopyFrom(numpy_helper.from_array(np.asarray(values.astype(kind)), f"{name}.{precision}"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], f"widen {name}", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    return graph


class _Short(nn.Module):
    """A network that computes in 16 bits, between images of 32."""

    def __init__(self, network: nn.Module, kind: torch.dtype) -> None:
        super().__init__()
        self.network = network.to(kind)
        self.kind = kind

    def forward(self, image: Tensor, style: Tensor | None = None) -> Tensor:
        """Paint."""
        short = image.to(self.kind)
        picture: Tensor = self.network(short) if style is None else self.network(short, style.to(self.kind))
        return picture.float()


def _stored(value: Tensor, kind: torch.dtype) -> Tensor:
    return (value.to(kind) if value.is_floating_point() else value).contiguous().clone()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
