"""Penalties on a discriminator's slope; they need gradients with respect to its input.

For a discriminator of many patches, the squared slope of the sum of its logits is divided by their number. With one
logit that is the papers' definition; with patches that do not overlap it is the mean of the papers' over patches. So a
weight holds across image sizes.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from ganstyle.draws import generator_of
from ganstyle.losses.adversarial import Judgements
from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Scalar, Seeds

Critic = Callable[[Tensor], Judgements]
Pictures = Float[Tensor, "batch channels height width"]


@in_full_precision
def r1(real: Pictures, critic: Critic) -> Scalar:
    """Half the squared slope of the discriminator at real images; its weight is the paper's gamma.

    Source: Mescheder et al. 2018, eq. 9.
    """
    return squared_slopes(real, critic).mean() / 2


@in_full_precision
def gradient_penalty(real: Pictures, fake: Pictures, seeds: Seeds, critic: Critic) -> Scalar:
    """Squared deviation of the slope from 1, at one random point between each real image and its fake.

    The point of an image is drawn from its seed. Source: Gulrajani et al. 2017, eq. 3.
    """
    between = torch.lerp(fake.detach(), real.detach(), _portions(seeds).to(real)[:, None, None, None])
    slopes = (squared_slopes(between, critic) + 1e-12).sqrt()  # the root has no derivative at 0
    return (slopes - 1).square().mean()


def squared_slopes(images: Pictures, critic: Critic) -> Float[Tensor, "scales batch"]:
    """Return the squared norm of the gradient of the logits' sum, divided by their number, per scale and image.

    The images become a leaf of their own: no gradient reaches whatever made them.
    """
    with torch.enable_grad():
        leaf = images.detach().requires_grad_()
        return torch.stack([_squared_slope(judgement.logits, leaf) for judgement in critic(leaf)])


def _squared_slope(logits: Tensor, images: Tensor) -> Float[Tensor, " batch"]:
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum((1, 2, 3)) / logits[0].numel()


def _portions(seeds: Seeds) -> Float[Tensor, " batch"]:
    return torch.cat([torch.rand(1, generator=generator_of("gradient_penalty", seed)) for seed in seeds.tolist()])
