"""int8 for onnxruntime: convolutions between quantizers (QDQ), their ranges from photographs."""

import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganstyle.artifact import Artifact
from ganstyle.backends.likeness import psnr
from ganstyle.backends.model import Images, Mixtures, missing_package
from ganstyle.backends.onnxruntime import IMAGE, STYLE, compute_of, session_of
from ganstyle.export.drafts import Draft, onnx_draft
from ganstyle.export.graph import graph_of
from ganstyle.export.int8 import Layer, Quantized, closest
from ganstyle.export.parity import LEAST
from ganstyle.export.pictures import calibrated, photograph
from ganstyle.export.portable import even_mixture, reference, side_of

if TYPE_CHECKING:
    from onnx import ModelProto

CONVOLUTIONS = ["Conv"]
SEARCHED = 3
"""On how many of the calibration pictures the search looks."""


def draft(artifact: Artifact, files: Sequence[Path], margin: float) -> Draft:
    """Quantize an artifact with a folder's pictures, to come so many dB nearer than the bound; raises ParityError."""
    graph = graph_of(artifact.network)
    side = side_of(artifact.network, LEAST)
    pictures = [photograph(file, side, side) for file in calibrated(files)]
    with _quiet():
        ranges = _ranges(graph, pictures, even_mixture(artifact, 1))
        judge = _Judge(artifact, pictures[:SEARCHED])
        layers = _layers(graph, side)
        return closest(layers, lambda kept: _quantized(graph, ranges, kept, judge), margin)


class _Judge:
    """Compares quantized graphs with the artifact."""

    def __init__(self, artifact: Artifact, pictures: Sequence[Images]) -> None:
        self.mixture = even_mixture(artifact, 1)
        self.pictures = pictures
        self.wanted = [reference(artifact, picture, self.mixture) for picture in pictures]

    def psnr(self, graph: "ModelProto") -> float:
        """The lowest over the pictures."""
        compute = compute_of(session_of(graph.SerializeToString(), Path("the int8 graph")))
        found = [compute(picture, self.mixture) for picture in self.pictures]
        return min(psnr(one, other) for one, other in zip(found, self.wanted, strict=True))


def _layers(graph: "ModelProto", side: int) -> list[Layer]:
    """The convolutions, each with the multiplications that it takes for a picture."""
    from onnx import numpy_helper

    weights = {tensor.name: numpy_helper.to_array(tensor).size for tensor in graph.graph.initializer}
    pixels = _pixels(graph, side)
    convolutions = [node for node in graph.graph.node if node.op_type in CONVOLUTIONS]
    return [Layer(node.name, float(weights[node.input[1]] * pixels[node.output[0]])) for node in convolutions]


def _pixels(graph: "ModelProto", side: int) -> dict[str, int]:
    """How many pixels every map has for a picture."""
    from onnx import shape_inference

    fixed = deepcopy(graph)
    for value in fixed.graph.input:
        axes = value.type.tensor_type.shape.dim
        for axis, length in zip((0, 2, 3), (1, side, side), strict=True):
            if axis < len(axes):
                axes[axis].dim_value = length
    inferred = shape_inference.infer_shapes(fixed, data_prop=True).graph
    shapes = {value.name: value.type.tensor_type.shape.dim for value in (*inferred.value_info, *inferred.output)}
    return {name: axes[2].dim_value * axes[3].dim_value for name, axes in shapes.items() if len(axes) == 4}


def _ranges(graph: "ModelProto", pictures: Sequence[Images], mixture: Mixtures | None) -> Any:
    """Learn between which values every activation lies."""
    try:
        import onnx
        from onnxruntime.quantization import CalibrationMethod, create_calibrator
    except ImportError:
        raise missing_package("onnxruntime", "export") from None
    with tempfile.TemporaryDirectory(prefix="ganstyle-") as place:
        plain = Path(place) / "graph.onnx"
        onnx.save(graph, plain)
        calibrator = create_calibrator(
            plain,
            CONVOLUTIONS,
            augmented_model_path=str(Path(place) / "augmented.onnx"),
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"symmetric": False, "moving_average": True, "averaging_constant": 0.1},
        )
        calibrator.collect_data(_reader(pictures, mixture))
        return calibrator.compute_data()


def _reader(pictures: Sequence[Images], mixture: Mixtures | None) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Hands out one picture after the other."""

        def __init__(self) -> None:
            given = [{IMAGE: picture} if mixture is None else {IMAGE: picture, STYLE: mixture} for picture in pictures]
            self.rest = iter(given)

        def get_next(self) -> dict[str, Any] | None:
            """The next picture; nothing after the last."""
            return next(self.rest, None)

    return Reader()


def _quantized(graph: "ModelProto", ranges: Any, kept: frozenset[str], judge: _Judge) -> Quantized:
    from onnxruntime.quantization import QDQQuantizer, QuantType

    quantizer = QDQQuantizer(
        deepcopy(graph),
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=ranges,
        nodes_to_quantize=[],
        nodes_to_exclude=sorted(kept),
        op_types_to_quantize=CONVOLUTIONS,
        extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
    )
    quantizer.quantize_model()
    found = quantizer.model.model
    return Quantized(onnx_draft(found), judge.psnr(found))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the quantizer's advice to preprocess from the user (the graph is), and a folder it adds from Python's path.

    Modules in that folder have names as common as `metrics`, which other programs' own packages then lose to.
    """
    root, path = logging.getLogger(), list(sys.path)
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
        sys.path[:] = path
