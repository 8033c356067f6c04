"""Structured pruning: whole channels go, those first that matter least for what they cost."""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganstyle.compress.costs import sizes_of
from ganstyle.compress.groups import Group, cut_axes, groups_of
from ganstyle.nn.light import Light
from ganstyle.types import Image

STEP = 4
"""Channels that go at a time."""
LEAST = 0.25
"""Share of a width that stays at least."""

Importance = Mapping[str, Float[Tensor, " channels"]]
"""How much each channel of a group matters, by the group's name."""


def importance(student: Light, teacher: nn.Module, pictures: Sequence[Image]) -> Importance:
    """Estimate how much the distance to the teacher's pictures would change without a channel.

    The mean square over pictures of the first-order change when a gate (a norm's scale and shift; without norms, a
    convolution's kernels and bias) closes, summed over the group's gates. Source: Molchanov et al. 2019, "Importance
    estimation for neural network pruning", eq. 8.

    Args:
        student: to be pruned.
        teacher: what it imitates.
        pictures: photographs, one at a time.
    """
    groups = groups_of(student)
    found = {name: torch.zeros(student.widths[name]) for name in groups}
    gates = {gate: _gate(student, gate) for group in groups.values() for gate in group.gates}
    parameters = [parameter for pair in gates.values() for parameter in pair]
    for parameter in parameters:
        parameter.requires_grad_(True)
    for picture in pictures:
        with torch.no_grad():
            wanted = teacher(picture)
        slopes = torch.autograd.grad((student(picture) - wanted).abs().mean(), parameters)
        changes = _changes(gates, slopes)
        for name, group in groups.items():
            found[name] += torch.stack([changes[gate].square() for gate in group.gates]).sum(0) / len(pictures)
    for parameter in parameters:
        parameter.requires_grad_(False)
    return found


def narrowed(student: Light, matters: Importance, share: float) -> dict[str, int]:
    """Choose widths that save a share of the multiply-adds, always taking where they cost most for what they matter."""
    groups = groups_of(student)
    widths = {name: student.widths[name] for name in groups}
    least = {name: max(STEP, int(LEAST * width)) for name, width in widths.items()}
    order = {name: matters[name].sort().values for name in groups}
    sizes = sizes_of(student)
    now = sizes(widths).multiply_adds
    goal = (1 - share) * now
    while now > goal:
        steps = {name: width - STEP for name, width in widths.items() if width - STEP >= least[name]}
        if not steps:
            break
        costs = {name: sizes(widths | {name: width}).multiply_adds for name, width in steps.items()}
        harm = {name: _harm(order[name], student.widths[name] - width) for name, width in steps.items()}
        best = min(steps, key=lambda name: harm[name] / (now - costs[name]))
        widths[best], now = steps[best], costs[best]
    return widths


def pruned(student: Light, matters: Importance, widths: Mapping[str, int]) -> Light:
    """Build the student of these widths from the channels that matter most, in their order."""
    kept = {name: matters[name].topk(width).indices.sort().values for name, width in widths.items()}
    network = Light(**{**student.arguments, "widths": dict(widths)})
    network.load_state_dict(_cut(student.state_dict(), groups_of(student), kept))
    return network.eval().requires_grad_(False)


def _cut(state: Mapping[str, Tensor], groups: Mapping[str, Group], kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
    cuts, found = cut_axes(groups), dict(state)
    for tensor in cuts.keys() & state.keys():
        for name, axis in cuts[tensor]:
            found[tensor] = found[tensor].index_select(axis, kept[name])
    return found


def _gate(student: Light, name: str) -> tuple[nn.Parameter, nn.Parameter]:
    gate = cast(nn.InstanceNorm2d, student.get_submodule(name))
    return gate.weight, gate.bias


def _changes(gates: Mapping[str, tuple[nn.Parameter, nn.Parameter]], slopes: Sequence[Tensor]) -> dict[str, Tensor]:
    """How the distance changes, to first order, when a gate's channels close."""
    pairs = zip(slopes[::2], slopes[1::2], strict=True)
    with torch.no_grad():
        return {
            gate: (scale * of_scale).reshape(len(shift), -1).sum(1) + shift * of_shift
            for (gate, (scale, shift)), (of_scale, of_shift) in zip(gates.items(), pairs, strict=True)
        }


def _harm(ordered: Tensor, gone: int) -> float:
    """What the last step of a group's channels matters, when so many of it have gone."""
    return float(ordered[gone - STEP : gone].sum())
