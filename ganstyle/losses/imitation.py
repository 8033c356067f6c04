"""How far a student's activations are from its teacher's."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Features, Scalar

EPSILON = 1e-8
"""Least mean square of a target, so that a black one divides nothing by zero."""


@in_full_precision
def relative_error(features: Features, targets: Features, layers: Mapping[str, float]) -> Scalar:
    """Weighted sum over layers of the squared distance to the target, relative to the target's mean square.

    A copy is at 0 and silence at 1 in every layer, so one weight holds for all layers and networks; taken for every
    image by itself, then averaged. No gradient flows into the targets.
    """
    return torch.stack([weight * _relative(features[layer], targets[layer]) for layer, weight in layers.items()]).sum()


def _relative(found: Tensor, wanted: Tensor) -> Scalar:
    wanted = wanted.detach()
    error = (found - wanted).square().flatten(1).mean(1)
    return (error / wanted.square().flatten(1).mean(1).clamp_min(EPSILON)).mean()
