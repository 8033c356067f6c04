"""Where the public CycleGAN and CUT code keeps each layer: our names to theirs, network by network.

Their networks are rows of layers, and a name counts every layer before it, those without weights, too.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from ganstyle.nn.authors import AuthorsResNet, BlurredPatchGAN, binomial
from ganstyle.nn.patchgan import PatchGAN, Pixel
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet

Layers = Mapping[str, str]
"""Our name of a layer -> theirs."""


def layers_of(network: nn.Module) -> Layers | None:
    """Return where their code keeps the network's layers, None for a network that it does not have."""
    layout = LAYOUTS.get(type(network))
    return None if layout is None else layout(network)


def blurs_of(network: nn.Module) -> dict[str, Tensor]:
    """Return the fixed filters that their code stores beside the weights, under its names."""
    if isinstance(network, AuthorsResNet):
        return _resnet_blurs(network)
    if isinstance(network, BlurredPatchGAN):
        widths = [stage[0].out_channels for stage in list(network.layers)[:-1]]  # type: ignore[index]
        return {f"model.{_patchgan_start(n + 1, 4) - 1}.filt": binomial(3, width) for n, width in enumerate(widths)}
    return {}


def dropout_offset(dropout: float) -> int:
    """How many places dropout takes between the two convolutions of a residual block."""
    return 1 if dropout else 0


def resnet_starts(blocks: int, blurred_down: bool, blurred_up: bool) -> tuple[int, int, int, int]:
    """Where their second halving, blocks, doublings and last convolution begin; the doublings' step is 3 or 4."""
    down, up = 4 if blurred_down else 3, 4 if blurred_up else 3
    first_block = 4 + 2 * down
    return 4 + down, first_block, first_block + blocks, first_block + blocks + 2 * up + 1


def _resnet(network: nn.Module) -> Layers:
    options = cast(Mapping[str, Any], network.arguments)
    down, up = options.get("blurred_down", False), options.get("blurred_up", False)
    second, block, double, end = resnet_starts(options["blocks"], down, up)
    step = 4 if up else 3
    places = {"encoder.stem": 1, "encoder.down1": 4, "encoder.down2": second}
    names = {f"{ours}.{n}": f"model.{place + n}" for ours, place in places.items() for n in (0, 1)}
    late = 4 + dropout_offset(options["dropout"])
    for number in range(options["blocks"]):
        ours, theirs = f"encoder.block{number + 1}.layers", f"model.{block + number}.conv_block"
        names |= {f"{ours}.{n}": f"{theirs}.{place}" for n, place in {0: 1, 1: 2, 4: 1 + late, 5: 2 + late}.items()}
    for number in (0, 1):
        places = {f"decoder.{number}.{n}": double + number * step + n for n in (range(1, 3) if up else range(2))}
        names |= {ours: f"model.{place}" for ours, place in places.items()}
    return names | {"decoder.2": f"model.{end}"}


def _resnet_blurs(network: AuthorsResNet) -> dict[str, Tensor]:
    options = network.arguments
    second, _, double, _ = resnet_starts(options["blocks"], options["blurred_down"], options["blurred_up"])
    channels = options["channels"]
    down = {second - 1: 2 * channels, second + 3: 4 * channels} if options["blurred_down"] else {}
    up = {double: 4 * channels, double + 4: 2 * channels} if options["blurred_up"] else {}
    small = {f"model.{place}.filt": binomial(3, width) for place, width in down.items()}
    return small | {f"model.{place}.filt": 4 * binomial(4, width) for place, width in up.items()}


def _unet(network: nn.Module) -> Layers:
    """Each level is inside the one above; the deepest has no norm on its way down, the first none at all."""
    depth = int(cast(Mapping[str, Any], network.arguments)["depth"])
    names = {"encoder.down1.0": "model.model.0", f"decoder.{depth - 1}.1": "model.model.3"}
    inside = "model.model.1.model"
    for level in range(2, depth):
        names |= {f"encoder.down{level}.0": f"{inside}.1", f"encoder.down{level}.1": f"{inside}.2"}
        names |= {f"decoder.{depth - level}.1": f"{inside}.5", f"decoder.{depth - level}.2": f"{inside}.6"}
        inside = f"{inside}.3.model"
    deepest = {f"encoder.down{depth}.0": f"{inside}.1", "decoder.0.1": f"{inside}.3", "decoder.0.2": f"{inside}.4"}
    return names | deepest


def _patchgan_start(number: int, step: int) -> int:
    """Where the layer of this number begins; the first has no norm, so it is one shorter."""
    return 0 if number == 0 else number * step - 1


def _patchgan(network: nn.Module) -> Layers:
    step, count = (4 if isinstance(network, BlurredPatchGAN) else 3), len(network.layers)  # type: ignore[arg-type]
    starts = [_patchgan_start(number, step) for number in range(count)]
    names = {f"layers.{n}.{part}": f"model.{start + part}" for n, start in enumerate(starts) for part in (0, 1)}
    return names | {"logits": f"model.{starts[-1] + 3}"}


def _pixel(network: nn.Module) -> Layers:
    return {"layers.0.0": "net.0", "layers.1.0": "net.2", "layers.1.1": "net.3", "logits": "net.5"}


LAYOUTS: Mapping[type[nn.Module], Callable[[nn.Module], Layers]] = {
    AuthorsResNet: _resnet,
    ResNet: _resnet,
    UNet: _unet,
    PatchGAN: _patchgan,
    BlurredPatchGAN: _patchgan,
    Pixel: _pixel,
}


def their_names(network: nn.Module, layers: Layers) -> dict[str, str]:
    """Return our name of every tensor of a network -> theirs."""
    names = {}
    for name in network.state_dict():
        layer, _, part = name.rpartition(".")
        names[name] = f"{layers[layer]}.{part}"
    return names


def fresh_statistics(channels: int) -> dict[str, Tensor]:
    """Return the running statistics of a batch norm that has seen nothing."""
    return {
        "running_mean": torch.zeros(channels),
        "running_var": torch.ones(channels),
        "num_batches_tracked": torch.tensor(0),
    }
