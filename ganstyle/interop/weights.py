"""From a file of another program to a network of ganstyle's, and to what ganstyle keeps on disk."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from ganstyle import artifact
from ganstyle.interop import cyclegan, start
from ganstyle.interop.reading import read_tensors


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


def import_weights(path: Path, *, statistics: str | None = None, dropout: bool = False) -> Imported:
    """Recognize the network in a file by its tensors alone, and build it; nothing in the file is run.

    `statistics` (`batch` or `running`) says what batch norm uses at test, None takes running ones where the file has
    them. `dropout` turns dropout on at test. Raises WeightsError, in one sentence that names the tensors, for
    everything else.
    """
    tensors = read_tensors(path)
    network, words = cyclegan.recognize(tensors, statistics=statistics, dropout=dropout)
    origin = {
        "imported": path.name,
        "imported_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "imported_as": words,
    }
    return Imported(network.eval().requires_grad_(False), words, origin)


def keep(imported: Imported, output: Path, *, licence: str = "unstated") -> None:
    """Write a generator as an artifact, a discriminator as a file that `ganstyle.interop.start` reads."""
    if imported.is_generator:
        artifact.save(imported.network, output, training=imported.origin, licence=licence)
    else:
        start.save_discriminator(imported.network, output, {**imported.origin, "licence": licence})
