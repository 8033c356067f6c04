"""Which layers a network can do in 8 bits: as many as keep it close to itself."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ganstyle.export.drafts import Draft
from ganstyle.export.errors import ParityError
from ganstyle.export.parity import BOUNDS

MARGINS = (1.5, 6.0)
"""Decibels that the search asks for above the bound, since it looks at other pictures than the judges; then more."""


class Layer(NamedTuple):
    """A layer that could be quantized."""

    name: str
    products: float
    """Its multiplications, in any unit."""


class Quantized(NamedTuple):
    """A network some of whose layers are in 8 bits."""

    draft: Draft
    psnr: float
    """To the artifact, on pictures for the search, in dB."""


Quantize = Callable[[frozenset[str]], Quantized]
"""Quantizes all layers but those named."""


def closest(layers: Sequence[Layer], quantize: Quantize, margin: float = MARGINS[0]) -> Draft:
    """Quantize as many multiplications as the bound allows.

    If all layers at once harm too much, every layer is tried alone; then those stay in floats that harm most for each
    of their multiplications, as few as it takes: errors of different layers add up nearly independently.
    Raises ParityError when no layer can be quantized.
    """
    target = BOUNDS["int8"].psnr + margin
    everything = quantize(frozenset())
    if everything.psnr >= target:
        return _told(everything.draft, (), len(layers))
    order = _by_harm(layers, quantize)
    few, many = 0, len(order)
    best: Draft | None = None
    while many - few > 1:
        middle = (few + many) // 2
        found = quantize(frozenset(order[:middle]))
        if found.psnr >= target:
            many, best = middle, found.draft
        else:
            few = middle
    if best is None:
        raise ParityError(f"no layer of this network can be in int8 within {target:g} dB; take --precision bf16.")
    return _told(best, tuple(order[:many]), len(layers) - many)


def _by_harm(layers: Sequence[Layer], quantize: Quantize) -> list[str]:
    """Order layers by what they harm, alone, for each multiplication; the worst first."""
    names = frozenset(layer.name for layer in layers)
    errors = {layer: 10 ** (-quantize(names - {layer.name}).psnr / 10) for layer in layers}
    return [layer.name for layer in sorted(layers, key=lambda layer: -errors[layer] / layer.products)]


def _told(draft: Draft, kept: tuple[str, ...], quantized: int) -> Draft:
    return draft._replace(kept=kept, quantized=quantized)
