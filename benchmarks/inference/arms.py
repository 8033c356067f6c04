"""The ways to run a network: PyTorch's, and each exported file's."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks.inference.subjects import EAGER, Subject
from ganstyle import artifact
from ganstyle.backends.model import Images, Model
from ganstyle.backends.opened import opened

Way = Callable[[Images], Images]
BEST = "best PyTorch"


def _eager(network: nn.Module, images: Images) -> Images:
    with torch.inference_mode():
        picture: Tensor = network(torch.from_numpy(images))
    return picture.numpy()


def _short(network: nn.Module, images: Images) -> Images:
    with torch.inference_mode():
        picture: Tensor = network(torch.from_numpy(images).bfloat16())
    return picture.float().numpy()


def _autocast(network: nn.Module, images: Images) -> Images:
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        picture: Tensor = network(torch.from_numpy(images))
    return picture.float().numpy()


def _channels_last(way: Callable[[nn.Module, Images], Images], network: nn.Module) -> Way:
    return partial(way, deepcopy(network).to(memory_format=torch.channels_last))


PYTORCH: Mapping[str, Callable[[nn.Module], Way]] = {
    EAGER: lambda network: partial(_eager, network),
    "fp32 channels last": lambda network: _channels_last(_eager, network),
    "bf16 autocast": lambda network: partial(_autocast, network),
    "bf16": lambda network: partial(_short, deepcopy(network).bfloat16()),
    "bf16 channels last": lambda network: _channels_last(_short, deepcopy(network).bfloat16()),
}
"""What PyTorch offers without compiling; the fastest of them, per network, is the arm "best PyTorch".

`torch.compile` takes a minute for every network before it paints, and gained nothing on processors in training
(benchmarks/results/trainer_switches.json).
"""


def pytorch_way(subject: Subject, name: str) -> Way:
    """Return a network as PyTorch runs it."""
    return PYTORCH[name](artifact.load(subject.folder).network)


def exported_way(subject: Subject, arm: str) -> Way:
    """Return a network as an exported file's program runs it."""
    model = opened(subject.file(arm))
    if not isinstance(model, Model):
        raise TypeError(f"{subject.file(arm)} is an artifact")
    compute = model.compute
    return lambda images: compute(images, None)
