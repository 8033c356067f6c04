"""Where a VGG's weights come from: a file, torchvision's download, the package, or a seed."""

import struct
from collections.abc import Mapping
from hashlib import file_digest
from http.client import HTTPException
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import VGG16_Weights, VGG19_Weights

from ganstyle.draws import generator_of
from ganstyle.errors import WeightsError, suggestion
from ganstyle.nn.vgg_layers import block, convolutions
from ganstyle.nn.vgg_weights import Kernel, Weights, imagenet_color, weights_from_state

EMBEDDED = Path(__file__).parent / "embedded" / "features.safetensors"
PICKLED = (".pth", ".pt")
SUFFIXES = (".safetensors", *PICKLED)
RANDOM_WIDTHS = (16, 32, 64, 128, 128)
"""Channels by block: a quarter of VGG's, as cheap as the embedded features."""


def weights_from_file(path: str, architecture: str) -> Weights:
    """Read a `.safetensors`, `.pth` or `.pt` file; nothing in it is executed.

    Raises `WeightsError` when it is missing, damaged or not a VGG.
    """
    file = Path(path).expanduser()
    if file.suffix not in SUFFIXES or not file.is_file():
        raise WeightsError(_missing(path, file))
    return weights_from_state(tensors_in(file), architecture, repr(path))


def embedded_weights(architecture: str) -> Weights:
    """Read ganstyle's own narrow VGG-19, which is in the package."""
    if architecture != "vgg19":
        raise WeightsError(
            f"the embedded features are a vgg19, not a {architecture}; set perceptual.architecture=vgg19."
        )
    if not EMBEDDED.is_file():
        raise WeightsError(f"the embedded features are missing from the package at {EMBEDDED}; install ganstyle again.")
    return weights_from_state(tensors_in(EMBEDDED), architecture, "the embedded features")


def imagenet_weights(architecture: str) -> Weights:
    """Take torchvision's ImageNet weights from its cache, or download them once; their hash is checked."""
    convolutions(architecture)
    published = {"vgg16": VGG16_Weights, "vgg19": VGG19_Weights}[architecture].IMAGENET1K_V1
    cached = Path(torch.hub.get_dir(), "checkpoints", Path(published.url).name)
    try:
        _require_hash(cached)
        state: dict[str, Tensor] = published.get_state_dict(
            progress=True, check_hash=True, map_location="cpu", weights_only=True
        )
    except (OSError, HTTPException) as error:
        raise WeightsError(
            f"the ImageNet weights of {architecture} could not be downloaded from {published.url} ({error}); "
            "connect to the internet, give a file by perceptual.path, or use perceptual=embedded."
        ) from error
    except (RuntimeError, UnpicklingError) as error:
        raise WeightsError(
            f"the ImageNet weights of {architecture} arrived damaged or are damaged in torchvision's cache ({error}); "
            f"delete {cached} and run again."
        ) from error
    return weights_from_state(state, architecture, f"torchvision's {architecture}")


def _require_hash(cached: Path) -> None:
    """Raise unless a cached file's hash starts as its name says; torchvision itself looks only at what it downloads."""
    if not cached.is_file():
        return
    with cached.open("rb") as opened:
        digest = file_digest(opened, "sha256").hexdigest()
    if not digest.startswith(cached.stem.rpartition("-")[2]):
        raise UnpicklingError(f"its sha256 starts with {digest[:8]}")


def random_weights(architecture: str, seed: int) -> Weights:
    """Draw the random features of a seed, at a quarter of VGG's widths."""
    widths = {name: RANDOM_WIDTHS[block(name) - 1] for name in convolutions(architecture)}
    return orthogonal_weights(widths, seed, f"the random features of seed {seed}")


def orthogonal_weights(widths: Mapping[str, int], seed: int, origin: str) -> Weights:
    """Draw orthogonal kernels without biases for convolutions of the given widths, shallow to deep.

    The gain sqrt(2) keeps the mean square of activations (Saxe et al. 2014; He et al. 2015, eq. 10).
    """
    kernels, channels = {}, 3
    for name, width in widths.items():
        weight = torch.empty(width, channels, 3, 3)
        nn.init.orthogonal_(weight, gain=2**0.5, generator=generator_of("random features", name, seed))
        kernels[name], channels = Kernel(weight, torch.zeros(width)), width
    return Weights(origin, kernels, imagenet_color(), "reflect")


def _missing(path: str, file: Path) -> str:
    """Word what is wrong with a path, and name the nearest file beside it."""
    if file.is_file():
        return f"the weights file {path!r} should end in {', '.join(SUFFIXES)}; convert it, or give another file."
    if not file.parent.is_dir():
        return f"there is no weights file {path!r}, nor the folder {str(file.parent)!r}; give an existing file."
    if file.is_dir():
        return f"{path!r} is a folder; give the path of a weights file in it."
    beside = [other.name for other in file.parent.iterdir() if other.suffix in SUFFIXES]
    if not beside:
        return f"there is no weights file {path!r}, nor any other in its folder; give the path of an existing file."
    return f"there is no weights file {path!r}{suggestion(file.name, beside)}"


BROKEN = (SafetensorError, UnpicklingError, RuntimeError, EOFError, OSError, ValueError, LookupError, struct.error)
"""What loading raises for a file of another kind, or one that is cut short."""


def tensors_in(file: Path) -> dict[str, Tensor]:
    """Read tensors by name, never executing what a pickle holds; raises WeightsError for anything else."""
    try:
        state = load_file(file) if file.suffix == ".safetensors" else torch.load(file, "cpu", weights_only=True)
    except BROKEN as error:
        reason = str(error).partition("\n")[0]
        raise WeightsError(f"the weights file {str(file)!r} cannot be read ({reason}); download it again.") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(
            f"the weights file {str(file)!r} is no state dict of tensors by name; save model.state_dict()."
        )
    return state
