"""Looking once: features of the pictures that were seen last are kept, since several scores ask for them in turn."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from ganstyle.metrics.features import FeatureNetwork
from ganstyle.types import Image

KEPT = 2
"""Batches: the photographs and their results."""


@dataclass(frozen=True)
class Glance(FeatureNetwork):
    """A feature network that remembers the last two batches of pictures, which nobody may write to.

    Pictures are known by their place in memory, which stays theirs as long as they are remembered.
    """

    wanted: tuple[str, ...] = ()
    """Layers that are taken along at every look."""
    _seen: list[tuple[Image, dict[str, Tensor]]] = field(default_factory=list)

    def __call__(self, images: Image, layers: Sequence[str]) -> dict[str, Tensor]:
        """Return activations by layer, as a feature network does."""
        place = next((place for place, (seen, _) in enumerate(self._seen) if _same(seen, images)), None)
        known = (images, {}) if place is None else self._seen.pop(place)
        if not set(layers) <= known[1].keys():
            known = images, super().__call__(images, tuple(dict.fromkeys((*self.wanted, *layers))))
        self._seen[:] = [known, *self._seen[: KEPT - 1]]
        return {layer: known[1][layer] for layer in layers}


def glance(network: FeatureNetwork, wanted: Sequence[str]) -> Glance:
    """Let a network remember what it saw, at these layers."""
    return Glance(network.name, network.sha256, network.network, tuple(wanted))


def _same(one: Tensor, other: Tensor) -> bool:
    return one.data_ptr() == other.data_ptr() and one.shape == other.shape and one.stride() == other.stride()
