"""The frozen network that the judge sees pictures through, under a name and a hash of its own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor

from ganstyle.metrics.published import hash_of
from ganstyle.nn.vgg import Perceptual, perceptual
from ganstyle.nn.vgg_files import EMBEDDED
from ganstyle.types import Image

BATCH = 8
"""Pictures that the network looks at together; the numbers do not depend on it beyond rounding."""


@dataclass(frozen=True)
class FeatureNetwork:
    """Features for judging, and what a report has to say of them.

    The network may lie on a GPU; pictures come and features go where the pictures are.
    """

    name: str
    """As scores carry it, e.g. embedded, or the stem of a weights file."""
    sha256: str
    """Of the weights file; of the tensors where there is no single file."""
    network: Perceptual

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers there are, shallow to deep."""
        return self.network.layers

    @torch.no_grad()
    def __call__(self, images: Image, layers: Sequence[str]) -> dict[str, Tensor]:
        """Return activations by layer, each batch x channels x rows x columns, without gradients.

        Raises `WeightsError` for a layer that is not there, `ShapeError` for images too small for it.
        """
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            parts = [self._looked(batch, layers) for batch in torch.split(images, BATCH)]
        return {layer: torch.cat([part[layer] for part in parts]) for layer in layers}

    def _looked(self, batch: Image, layers: Sequence[str]) -> dict[str, Tensor]:
        device = next(self.network.parameters()).device
        return {layer: found.to(batch.device) for layer, found in self.network(batch.to(device), layers).items()}


def feature_network(
    weights: str = "embedded",
    path: str | Path | None = None,
    architecture: str = "vgg19",
    seed: int = 0,
    *,
    device: str = "cpu",
) -> FeatureNetwork:
    """Build the judge's features from weights by name, or from a file: `path` goes before `weights`.

    The choices are those of `ganstyle.nn.vgg.perceptual`, which raises `WeightsError` for weights that do not fit.
    """
    network = perceptual(weights, None if path is None else str(path), architecture, seed).to(device)
    if path is not None:
        file = Path(path).expanduser()
        return FeatureNetwork(file.stem, hash_of(file), network)
    if weights == "embedded":
        return FeatureNetwork(weights, hash_of(EMBEDDED), network)
    name = f"{weights} {architecture}" if weights == "imagenet" else f"random {architecture} of seed {seed}"
    return FeatureNetwork(name, _hash_of_tensors(network), network)


@cache
def teachers(sha256: str) -> frozenset[str]:
    """Hashes of the networks that features of this hash were distilled from, as far as that is known."""
    if sha256 != hash_of(EMBEDDED):
        return frozenset()
    card = json.loads((EMBEDDED.parent / "card.json").read_text(encoding="utf-8"))
    return frozenset(teacher["sha256"] for teacher in card["teachers"])


def akin(one: str, other: str) -> bool:
    """Whether two feature networks, by their hashes, see alike because one of them taught the other."""
    return one in teachers(other) or other in teachers(one)


def _hash_of_tensors(network: Perceptual) -> str:
    """Hash names, shapes and values, in the order of names."""
    digest = sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
