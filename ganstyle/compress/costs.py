"""How large a Light of any widths would be, without building it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from ganstyle.compress.groups import cut_axes, groups_of
from ganstyle.compress.size import SIDE, Size, size_of
from ganstyle.nn.light import Light

PLACES = {
    "encoder.stem": 1.0,
    "encoder.down1": 1 / 4,
    "encoder": 1 / 16,
    "decoder.0": 1 / 4 * 4 / 9,
    "decoder.1": 4 / 9,
    "decoder.2": 1.0,
}
"""Share of the picture's pixels at which a convolution works, by what its name begins with; the first that fits.

Of one that doubles the sides of nearest pixels, four ninths are left.
"""


@dataclass(frozen=True)
class Sizes:
    """How large networks like one are with other widths: a tensor grows with each width along its axes."""

    widths: Mapping[str, int]
    """Of the one."""
    cuts: Mapping[str, Sequence[tuple[str, int]]]
    parameters: Mapping[str, int]
    """By tensor."""
    products: Mapping[str, float]
    """Of the convolutions, by tensor."""
    fixed: float
    """Multiply-adds that do not depend on widths."""

    def __call__(self, asked: Mapping[str, int]) -> Size:
        """Return the size for widths by name."""
        grown = {
            name: prod(asked[group] / self.widths[group] for group, _ in self.cuts.get(name, ()))
            for name in self.parameters
        }
        products = sum(count * grown[name] for name, count in self.products.items())
        return Size(round(sum(count * grown[name] for name, count in self.parameters.items())), self.fixed + products)


def sizes_of(network: Light) -> Sizes:
    """Learn from a network what any widths take. Raises CompressError for one that cannot be cut."""
    parameters = {name: tensor.numel() for name, tensor in network.named_parameters()}
    convolutions = [name for name in parameters if _convolves(network, name)]
    products = {name: parameters[name] * SIDE**2 * _places(name) for name in convolutions}
    fixed = size_of(network).multiply_adds - sum(products.values())
    return Sizes(dict(network.widths), cut_axes(groups_of(network)), parameters, products, fixed)


def _convolves(network: Light, name: str) -> bool:
    """Whether a parameter is the weight of a convolution between the stem and the end."""
    outside = ("color_skip", "image_skip", "soft_color")
    return network.get_parameter(name).ndim == 4 and not name.startswith(outside)


def _places(name: str) -> float:
    return next(share for start, share in PLACES.items() if name.startswith(start))
