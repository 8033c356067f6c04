"""Networks for one style each: of PyTorch's fast_neural_style example, and of Engstrom's TensorFlow code."""

import re
from collections.abc import Mapping

import torch

from ganstyle.errors import WeightsError
from ganstyle.interop.reading import Tensors
from ganstyle.interop.shapes import misfits
from ganstyle.nn.transform_net import FastStyle, TransformNet

DEPRECATED = re.compile(r"in\d+\.(running_mean|running_var|num_batches_tracked)$")
"""What instance norm kept until PyTorch 0.4, and never used in these networks."""


def fast_neural_style(tensors: Tensors) -> tuple[TransformNet, str]:
    """Build the network of a `.pth` file of PyTorch's example; statistics that instance norm once kept are dropped.

    Raises WeightsError with the tensors named when they are not that network's.
    """
    blocks = len({name.split(".")[0] for name in tensors if re.match(r"res\d+\.", name)})
    channels = len(tensors["conv1.conv2d.weight"])
    if not blocks:
        raise WeightsError("the tensors begin like fast_neural_style, but none is of a residual block (res1 ...).")
    network = TransformNet(blocks=blocks, channels=channels)
    used = {name: tensor for name, tensor in tensors.items() if not DEPRECATED.search(name)}
    ours = {f"{our}.{part}": f"{their}.{part}" for our, their in _layers(blocks).items() for part in ("weight", "bias")}
    state = network.state_dict()
    if told := misfits(used, {theirs: state[our] for our, theirs in ours.items()}):
        raise WeightsError(f"the tensors are almost those of a fast_neural_style network, but {told}.")
    network.load_state_dict({our: used[theirs] for our, theirs in ours.items()})
    dropped = ", unused statistics dropped" if len(used) < len(tensors) else ""
    return network, f"fast_neural_style generator of {blocks} blocks, {channels} channels, instance norm{dropped}"


def _layers(blocks: int) -> Mapping[str, str]:
    """Our name of every layer -> theirs."""
    names: dict[str, str] = {}
    for number, ours in enumerate(("stem", "down1", "down2"), start=1):
        names |= {f"encoder.{ours}.0": f"conv{number}.conv2d", f"encoder.{ours}.1": f"in{number}"}
    for number in range(1, blocks + 1):
        ours, theirs = f"encoder.block{number}.layers", f"res{number}"
        names |= {f"{ours}.0": f"{theirs}.conv1.conv2d", f"{ours}.1": f"{theirs}.in1"}
        names |= {f"{ours}.3": f"{theirs}.conv2.conv2d", f"{ours}.4": f"{theirs}.in2"}
    for number in (1, 2):
        names |= {f"decoder.{number - 1}.0.1": f"deconv{number}.conv2d", f"decoder.{number - 1}.1": f"in{number + 3}"}
    return names | {"decoder.2": "deconv3.conv2d"}


def fast_style(tensors: Tensors) -> tuple[FastStyle, str]:
    """Build Engstrom's network from `var0` ... `var47`, kernels being height x width x in x out (transposed: out x in).

    Raises WeightsError with the tensors named when they are not that network's.
    """
    network = FastStyle()
    parameters = {f"var{number}": parameter for number, parameter in enumerate(network.turns())}
    found = {name: tensor.permute(3, 2, 0, 1) if tensor.ndim == 4 else tensor for name, tensor in tensors.items()}
    if told := misfits(found, parameters):
        raise WeightsError(f"these {len(found)} tensors are not the {len(parameters)} of fast_style: {told}.")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(found[name])
    return network, "fast_style generator (TensorFlow) of 5 blocks, 32 channels, instance norm"
