"""Start a narrow VGG from its teacher's own kernels, so that distillation has little left to learn.

Layer by layer: keep the teacher's channels that tell most about the others, and let each read its input as a linear map
reconstructs it from the narrow layer before (in the manner of ThiNet: Luo et al. 2017, section 3.2).
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from ganstyle.nn.distillation import Rows, fitted_head, rows_of
from ganstyle.nn.vgg import Perceptual
from ganstyle.nn.vgg_layers import relu
from ganstyle.nn.vgg_weights import Kernel, Weights
from ganstyle.types import Image


@torch.no_grad()
def inherit(student: Weights, teachers: tuple[Weights, ...], images: Image) -> Weights:
    """Replace the student's kernels by what it can take over from the first teacher that has each layer.

    A layer wider than what its teacher has to tell keeps its own kernels for the rest; `images` say what channels are
    worth.
    """
    kernels: dict[str, Kernel] = {}
    before = None
    for name, own in student.convolutions.items():
        teacher = next(weights for weights in teachers if name in weights.convolutions)
        through = _reconstruction(kernels, before, student, teacher, images)
        kernels[name] = _taken_over(own, teacher, name, through, images)
        before = name
    return Weights(student.origin, kernels, student.color, student.padding)


def pivots(rows: Rows, count: int) -> list[int]:
    """Choose channels one by one, each the one that explains most of what the chosen ones leave unexplained.

    Fewer than `count` come back when nothing is left: a teacher may have dead channels.
    """
    centred = rows.double() - rows.double().mean(0)
    residual = centred.T @ centred
    negligible = 1e-6 * residual.diagonal().max()
    chosen: list[int] = []
    while len(chosen) < count:
        gains = residual.square().sum(0) / residual.diagonal()
        best = int(gains.where(residual.diagonal() > negligible, -1.0).argmax())
        if residual[best, best] <= negligible:
            break
        chosen.append(best)
        column = residual[:, best].clone()
        residual -= torch.outer(column, column) / column[best]
    return chosen


def _reconstruction(
    kernels: Mapping[str, Kernel], before: str | None, student: Weights, teacher: Weights, images: Image
) -> Kernel:
    """Fit the map from what the student's next layer is given to what the teacher's is given: matrix and offset."""
    if before is None:
        return _color_map(student.color, teacher.color)
    narrow = Weights(student.origin, kernels, student.color, student.padding)
    head = fitted_head(_seen(narrow, before, images), _seen(teacher, before, images))
    return Kernel(head.weight, head.bias)


def _color_map(ours: Kernel, theirs: Kernel) -> Kernel:
    """Turn the student's color space into the teacher's; both are affine in RGB."""
    matrix = theirs.weight.flatten(1) @ torch.linalg.inv(ours.weight.flatten(1))
    return Kernel(matrix, theirs.bias - matrix @ ours.bias)


def _taken_over(own: Kernel, teacher: Weights, name: str, through: Kernel, images: Image) -> Kernel:
    """Keep the most telling channels of a teacher's layer, reading through a map of what they were given."""
    weight, bias = teacher.convolutions[name]
    chosen = pivots(_seen(teacher, name, images), len(own.bias))
    weight, bias = weight[chosen], bias[chosen] + torch.einsum("oihw,i->o", weight[chosen], through.bias)
    composed = torch.einsum("oihw,ij->ojhw", weight, through.weight)
    return Kernel(torch.cat([composed, own.weight[len(chosen) :]]), torch.cat([bias, own.bias[len(chosen) :]]))


def _seen(weights: Weights, name: str, images: Image) -> Rows:
    """List a layer's features at every third position."""
    features: Tensor = Perceptual(weights)(images, [relu(name)])[relu(name)]
    return rows_of(features, torch.arange(0, features[:, 0].numel(), 3))
