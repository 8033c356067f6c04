"""The channels of a Light that stand or fall together: where a map is made, normalized and read."""

from collections.abc import Mapping
from typing import NamedTuple

from ganstyle.compress.errors import CompressError
from ganstyle.nn.light import Light

PRUNED = ("affine_instance", "none")
"""Norms of the networks that can be cut."""


class Axis(NamedTuple):
    """One axis of a tensor of the network's state."""

    tensor: str
    axis: int


class Group(NamedTuple):
    """The channels of one width."""

    gates: tuple[str, ...]
    """What opens or closes these channels: norms by scale and shift; without norms, what makes the channels."""
    made: tuple[str, ...]
    """Convolutions that make these channels."""
    axes: tuple[Axis, ...]
    """What is cut when a channel goes."""


def groups_of(network: Light) -> dict[str, Group]:
    """List the groups by the name of their width. Raises CompressError for a network that cannot be cut."""
    arguments = network.arguments
    if arguments["norm"] not in PRUNED or arguments["styles"] or arguments["upsampling"] != "nearest":
        raise CompressError(
            f"a light generator is pruned that has norm {' or '.join(PRUNED)}, upsampling nearest and one style; this "
            f"has norm {arguments['norm']}, upsampling {arguments['upsampling']} and {arguments['styles']} styles to "
            f"choose from; leave out pruning."
        )
    blocks = [f"encoder.block{number}.layers" for number in range(1, int(arguments["blocks"]) + 1)]
    groups = {
        "stem": _group(["encoder.stem.1"], made=["encoder.stem.0"], read=["encoder.down1.0"]),
        "down1": _group(["encoder.down1.1"], made=["encoder.down1.0"], read=["encoder.down2.0"]),
        "trunk": _trunk(blocks),
        "up1": _group(["decoder.0.1"], made=["decoder.0.0.1"], read=["decoder.1.0.1"]),
        "up2": _group(["decoder.1.1"], made=["decoder.1.0.1"], read=["decoder.2"]),
        **{f"block{number}": _inside(block) for number, block in enumerate(blocks, start=1)},
    }
    if arguments["norm"] == "none":
        return {name: group._replace(gates=group.made) for name, group in groups.items()}
    return groups


def cut_axes(groups: Mapping[str, Group]) -> dict[str, list[tuple[str, int]]]:
    """Say for every tensor which groups cut it, and along which axis."""
    cuts: dict[str, list[tuple[str, int]]] = {}
    for name, group in groups.items():
        for tensor, axis in group.axes:
            cuts.setdefault(tensor, []).append((name, axis))
    return cuts


def _group(norms: list[str], *, made: list[str], read: list[str], each: list[str] | None = None) -> Group:
    """Take what makes the channels, what reads them, and depthwise convolutions, which do both."""
    outputs = [*norms, *made, *(each or [])]
    axes = [Axis(f"{layer}.{kind}", 0) for layer in outputs for kind in ("weight", "bias")]
    return Group(tuple(norms), tuple(made), (*axes, *(Axis(f"{layer}.weight", 1) for layer in read)))


def _trunk(blocks: list[str]) -> Group:
    """What all blocks add to."""
    return _group(
        ["encoder.down2.1", *(f"{block}.4" for block in blocks)],
        made=["encoder.down2.0", *(f"{block}.3.1" for block in blocks)],
        each=[f"{block}.0.0" for block in blocks],
        read=[*(f"{block}.0.1" for block in blocks), "decoder.0.0.1"],
    )


def _inside(block: str) -> Group:
    """What stays within a block."""
    return _group([f"{block}.1"], made=[f"{block}.0.1"], each=[f"{block}.3.0"], read=[f"{block}.3.1"])
