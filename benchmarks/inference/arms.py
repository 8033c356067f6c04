"""The ways to run a network: PyTorch's, and each exported file's."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.inference.subjects import EAGER, Subject
from ganstyle import artifact
from ganstyle.backends.likeness import psnr
from ganstyle.backends.model import Images, Model
from ganstyle.backends.opened import opened
from ganstyle.export.parity import BOUNDS

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


def _compiled(network: nn.Module, *, short: bool, frozen: bool) -> Way:
    """Compile for every size anew; frozen, the weights become constants, laid out as the kernels like them."""
    program = torch.compile(network.bfloat16() if short else network, dynamic=False, options={"freezing": frozen})
    kind = torch.bfloat16 if short else torch.float32

    def way(images: Images) -> Images:
        with torch.no_grad():
            picture: Tensor = program(torch.from_numpy(images).to(kind))
        return picture.float().numpy()

    return way


def _channels_last(way: Callable[[nn.Module, Images], Images], network: nn.Module) -> Way:
    return partial(way, deepcopy(network).to(memory_format=torch.channels_last))


PYTORCH: Mapping[str, Callable[[nn.Module], Way]] = {
    EAGER: lambda network: partial(_eager, network),
    "fp32 channels last": lambda network: _channels_last(_eager, network),
    "bf16 autocast": lambda network: partial(_autocast, network),
    "bf16": lambda network: partial(_short, deepcopy(network).bfloat16()),
    "bf16 channels last": lambda network: _channels_last(_short, deepcopy(network).bfloat16()),
}
"""What PyTorch offers without compiling."""
COMPILED: Mapping[str, Callable[[nn.Module], Way]] = {
    f"compiled{' bf16' * short}{', frozen' * frozen}": partial(_compiled, short=short, frozen=frozen)
    for short in (False, True)
    for frozen in (False, True)
}
"""What `torch.compile` makes of them."""
WAYS: Mapping[str, Callable[[nn.Module], Way]] = {**PYTORCH, **COMPILED}
"""Of them all, the fastest that paints what eager does is, for each network, the arm "best PyTorch"."""


def pytorch_way(subject: Subject, name: str) -> Way:
    """Return a network as PyTorch runs it."""
    return WAYS[name](artifact.load(subject.folder).network)


def alike(name: str, found: Images, wanted: Images) -> bool:
    """Whether a way of PyTorch paints what eager does: as near as an export of its precision has to come."""
    bound = BOUNDS["bf16" if "bf16" in name else "fp32"]
    return float(np.abs(found - wanted).max()) <= bound.largest and psnr(found, wanted) >= bound.psnr


def exported_way(subject: Subject, arm: str) -> Way:
    """Return a network as an exported file's program runs it."""
    model = opened(subject.file(arm))
    if not isinstance(model, Model):
        raise TypeError(f"{subject.file(arm)} is an artifact")
    compute = model.compute
    return lambda images: compute(images, None)
