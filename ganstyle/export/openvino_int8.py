"""int8 for OpenVINO, by NNCF, its ranges from photographs."""

import logging
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganstyle.artifact import Artifact
from ganstyle.backends.label import Label
from ganstyle.backends.likeness import psnr
from ganstyle.backends.model import Images, Mixtures, missing_package
from ganstyle.backends.openvino import compute_of
from ganstyle.export.drafts import Draft, openvino_draft, openvino_graph
from ganstyle.export.graph import graph_of, quiet
from ganstyle.export.int8 import Layer, Quantized, closest
from ganstyle.export.parity import LEAST
from ganstyle.export.pictures import calibrated, photograph
from ganstyle.export.portable import even_mixture, reference, side_of

CONVOLUTIONS = ("Convolution", "ConvolutionBackpropData")
FLOATS = ("Add", "Multiply", "MVN", "Concat", "Interpolate", "ReduceMean", "Subtract", "GroupConvolution")
"""What stays in floats around them: it costs little there, and its rounding would add up through the residuals.

OpenVINO computes depthwise convolutions in floats in any case; quantizing before them only adds the way back. Without
it the light generator takes 9 % less time and comes 1 dB nearer.
"""
SEARCHED = 3
"""On how many of the calibration pictures the search looks."""


def draft(artifact: Artifact, files: Sequence[Path], margin: float) -> Draft:
    """Quantize an artifact with a folder's pictures, to come so many dB nearer than the bound; raises ParityError."""
    nncf = _nncf()
    graph = graph_of(artifact.network)
    side = side_of(artifact.network, LEAST)
    pictures = [photograph(file, side, side) for file in calibrated(files)]
    mixture = even_mixture(artifact, 1)
    data = nncf.Dataset([_given(picture, mixture) for picture in pictures])
    label = Label(artifact.card, "int8", 0.0)
    searched = pictures[:SEARCHED]
    wanted = [reference(artifact, picture, mixture) for picture in searched]

    def quantize(kept: frozenset[str]) -> Quantized:
        floats = openvino_graph(graph)
        ignored = nncf.IgnoredScope(names=sorted(kept), types=list(FLOATS), validate=False)
        with quiet():
            found = nncf.quantize(
                floats,
                data,
                preset=nncf.QuantizationPreset.MIXED,
                subset_size=len(pictures),
                ignored_scope=ignored,
            )
        compute = compute_of(found, label)
        painted = [compute(picture, mixture) for picture in searched]
        likeness = min(psnr(one, other) for one, other in zip(painted, wanted, strict=True))
        return Quantized(openvino_draft(found, short=False), likeness)

    return closest(_layers(openvino_graph(graph), side), quantize, margin)


def _given(picture: Images, mixture: Mixtures | None) -> tuple[Any, ...]:
    return (picture,) if mixture is None else (picture, mixture)


def _layers(graph: Any, side: int) -> list[Layer]:
    """The convolutions, each with the multiplications that it takes for a picture."""
    for given in graph.inputs:
        shape = given.get_partial_shape()
        graph.reshape({given: [1, 3, side, side] if len(shape) == 4 else [1, shape[1].get_length()]})
    convolutions = [node for node in graph.get_ordered_ops() if node.get_type_name() in CONVOLUTIONS]
    return [Layer(node.get_friendly_name(), _products(node)) for node in convolutions]


def _products(convolution: Any) -> float:
    weights = convolution.input(1).get_shape()
    large = convolution.output(0).get_shape()
    if convolution.get_type_name() == "ConvolutionBackpropData":
        large = convolution.input(0).get_shape()
    return float(math.prod(weights) * math.prod(large[2:]))


def _nncf() -> Any:
    """Import NNCF without the package by which it would report its use over the internet."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        with quiet():
            import nncf
    except ImportError:
        raise missing_package("nncf", "openvino") from None
    nncf.set_log_level(logging.ERROR)
    return nncf
