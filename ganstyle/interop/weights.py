"""From a file of another program to a network of ganstyle's, and to what ganstyle keeps on disk."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from ganstyle import artifact
from ganstyle.errors import WeightsError
from ganstyle.images import read, resize, to_tensor
from ganstyle.interop import cyclegan, fast_style, start
from ganstyle.interop.microast import microast
from ganstyle.interop.reading import Tensors, read_tensors
from ganstyle.types import Image

PAINTING_SIDE = 512
"""Short side of the paintings that MicroAST was trained with; a larger one is brought to it."""


@dataclass(frozen=True)
class Choices:
    """What tensors do not tell."""

    statistics: str | None = None
    """What batch norm uses at test, `batch` or `running`; None takes running ones where the file has them."""
    dropout: bool = False
    """Whether dropout acts at test."""
    style: Path | None = None
    """The painting whose style a network for any style takes."""


@dataclass(frozen=True)
class Imported:
    """A network with the weights of a file in it."""

    network: nn.Module
    words: str
    """What it is, in one line."""
    origin: Mapping[str, str]
    """The file's name, its sha256 and the words, for the card."""

    @property
    def is_generator(self) -> bool:
        """Whether it paints, and can become an artifact; else it judges."""
        return type(self.network) in artifact.NETWORKS.values()


def import_weights(path: Path, choices: Choices | None = None) -> Imported:
    """Recognize the network in a file by its tensors alone, and build it; nothing in the file is run.

    Raises WeightsError, in one sentence that names the tensors, for a file or a choice that does not fit.
    """
    choices = choices or Choices()
    network, words = _recognized(read_tensors(path), choices)
    words = f"{words}, {sum(parameter.numel() for parameter in network.parameters()) / 1e6:.2f} M parameters"
    origin = {"imported": path.name, "imported_sha256": _sha256(path), "imported_as": words}
    if choices.style is not None:
        origin |= {"style": choices.style.name, "style_sha256": _sha256(choices.style)}
    return Imported(network.eval().requires_grad_(False), words, origin)


def keep(imported: Imported, output: Path, *, licence: str = "unstated") -> None:
    """Write a generator as an artifact, a discriminator as a file that `ganstyle.interop.start` reads."""
    if imported.is_generator:
        artifact.save(imported.network, output, training=imported.origin, licence=licence)
    else:
        start.save_discriminator(imported.network, output, {**imported.origin, "licence": licence})


def _recognized(tensors: Tensors, choices: Choices) -> tuple[nn.Module, str]:
    is_any_style = any(name.startswith("style_encoder.") for name in tensors)
    if choices.style is not None and not is_any_style:
        raise WeightsError(f"a style was given ({choices.style}), but these tensors are of no network for any style.")
    known = {"conv1.conv2d.weight": fast_style.fast_neural_style, "var0": fast_style.fast_style}
    find = next((find for name, find in known.items() if name in tensors), None)
    if find is None and not is_any_style:
        return cyclegan.recognize(tensors, statistics=choices.statistics, dropout=choices.dropout)
    if choices.statistics or choices.dropout:
        raise WeightsError("statistics or dropout were chosen, but these tensors are of a network that has neither.")
    return find(tensors) if find else microast(tensors, _painting(choices.style))


def _painting(path: Path | None) -> Image | None:
    """Read a painting at the size of MicroAST's training; raises ImageError."""
    if path is None:
        return None
    pixels = read(path)
    height, width = pixels.shape[:2]
    scale = min(1.0, PAINTING_SIDE / min(height, width))
    return to_tensor(resize(pixels, round(height * scale), round(width * scale)))[None]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
