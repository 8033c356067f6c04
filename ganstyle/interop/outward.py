"""Our networks under the names of the public CycleGAN, pix2pix and CUT code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganstyle import artifact
from ganstyle.beside import beside
from ganstyle.errors import ArtifactError
from ganstyle.interop.cyclegan import DROPOUT
from ganstyle.interop.layouts import blurs_of, fresh_statistics, layers_of, their_names
from ganstyle.nn.resnet import ResNet


def to_pytorch_cyclegan(network: nn.Module) -> dict[str, Tensor]:
    """Return the tensors of a network under the names of the public CycleGAN and CUT code, filters included.

    Batch norm that keeps no running statistics gets those of a fresh one, which that code needs to load the file.
    Raises ArtifactError for a network, or a choice in it, that the code does not have. See `caveats`.
    """
    layers = layers_of(network)
    if layers is None:
        raise ArtifactError(
            f"the public CycleGAN code has no network like {type(network).__name__}; it has ResNet and U-Net, with "
            f"PatchGAN and Pixel."
        )
    _require_expressible(network.arguments)  # type: ignore[arg-type]
    names = their_names(network, layers)
    state = {names[ours]: tensor.detach().cpu().clone() for ours, tensor in network.state_dict().items()}
    for ours, layer in network.named_modules():
        if isinstance(layer, nn.BatchNorm2d) and not layer.track_running_stats:
            state |= {f"{layers[ours]}.{k}": v for k, v in fresh_statistics(layer.num_features).items()}
    return state | blurs_of(network)


def caveats(network: nn.Module) -> tuple[str, ...]:
    """Say, in a sentence each, where the public code will do something else with the weights of a network."""
    found = []
    if isinstance(network, ResNet):
        found.append(
            "their code pads the two halvings with zeros where this network reflects, so results differ, most of all "
            "near the border."
        )
    if any(isinstance(layer, nn.BatchNorm2d) and not layer.track_running_stats for layer in network.modules()):
        found.append("batch norm has no running statistics, so run their test.py without --eval.")
    return tuple(found)


def _require_expressible(arguments: Mapping[str, Any]) -> None:
    """Refuse choices that their names have no room for, or that their code would compute otherwise."""
    wanted: dict[str, tuple[Any, ...]] = {
        "norm": ("batch", "instance"),
        "upsampling": ("transpose",),
        "styles": (0,),
        "spectral": (False,),
        "stride_one": (True,),
        "dropout": (0.0, DROPOUT),
        "padding": ("reflect",) if "blocks" in arguments else ("zero",),
    }
    for name, values in wanted.items():
        if name in arguments and arguments[name] not in values:
            raise ArtifactError(
                f"the public CycleGAN code has no network with {name} {arguments[name]!r}, only with "
                f"{' or '.join(map(repr, values))}; nothing was exported."
            )


def write_pytorch_cyclegan(folder: Path, output: Path) -> tuple[str, ...]:
    """Write an artifact's weights as their `latest_net_G.pth`, and return the caveats.

    The file appears whole or not at all. Raises ArtifactError when there is no artifact, when the code has no such
    network, or when the file cannot be written.
    """
    network = artifact.load(folder).network
    tensors = to_pytorch_cyclegan(network)
    try:
        with beside(output) as temporary:
            with temporary.open("xb") as file:  # to a name, torch would write that name into the file
                torch.save(tensors, file)
            temporary.replace(output)
    except (OSError, RuntimeError) as error:
        raise ArtifactError(f"{output} cannot be written ({error}).") from error
    return caveats(network)
