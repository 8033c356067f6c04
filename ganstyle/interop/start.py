"""Networks to go on training from: `_target_`s for a configuration, in place of networks with random weights."""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as bytes_of
from torch import nn

from ganstyle import artifact
from ganstyle.beside import beside
from ganstyle.errors import GanstyleError, WeightsError, unknown
from ganstyle.nn.authors import BlurredPatchGAN
from ganstyle.nn.patchgan import PatchGAN, Pixel

DISCRIMINATORS: Mapping[str, type[nn.Module]] = {
    "patchgan": PatchGAN,
    "pixel": Pixel,
    "blurred_patchgan": BlurredPatchGAN,
}
ENTRY = "ganstyle"
"""Of the file's header: which network, and its arguments."""


def generator(path: str) -> nn.Module:
    """Build the network of an artifact with its weights, ready to be trained further.

    Raises ArtifactError when the artifact is missing or damaged.
    """
    return artifact.load(path).network.train().requires_grad_(True)


def discriminator(path: str) -> nn.Module:
    """Build the network of a file that `save_discriminator` wrote, with its weights, ready to be trained further.

    Raises WeightsError when the file is missing, damaged, or holds no discriminator.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(ENTRY, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
    except (OSError, SafetensorError, ValueError) as error:
        raise WeightsError(f"{path} is no discriminator that `ganstyle import` wrote ({error}).") from error
    network = _built(header, path)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsError(f"the weights in {path} do not fit the network of its header; import it again.") from error
    return network.requires_grad_(True)


def save_discriminator(network: nn.Module, path: Path, origin: Mapping[str, str]) -> None:
    """Write a discriminator as one safetensors file whose header says how to build it and where it comes from.

    The file appears whole or not at all. Raises WeightsError when it cannot be written, or for another network.
    """
    names = [name for name, kind in DISCRIMINATORS.items() if type(network) is kind]
    if not names:
        raise WeightsError(f"a {type(network).__name__} is no discriminator; there is {', '.join(DISCRIMINATORS)}.")
    header = {"network": names[0], "arguments": network.arguments, "origin": dict(origin)}
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    try:
        with beside(path) as temporary:
            temporary.write_bytes(bytes_of(tensors, {ENTRY: json.dumps(header)}))
            temporary.replace(path)
    except OSError as error:
        raise WeightsError(f"{path} cannot be written: {error.strerror or error}.") from error


def _built(header: object, path: str) -> nn.Module:
    if not isinstance(header, dict) or not {"network", "arguments"} <= header.keys():
        raise WeightsError(f"{path} does not say which discriminator it holds; give what `ganstyle import` wrote.")
    name = str(header["network"])
    if name not in DISCRIMINATORS:
        raise WeightsError(unknown(f"discriminator in {path}:", name, DISCRIMINATORS))
    try:
        return DISCRIMINATORS[name](**header["arguments"])
    except (TypeError, ValueError, GanstyleError) as error:
        raise WeightsError(f"the header of {path} has arguments that {name!r} does not take ({error}).") from error
