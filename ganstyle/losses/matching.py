"""Matching a discriminator's view of two images."""

import torch

from ganstyle.losses.adversarial import Judgements
from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Scalar


@in_full_precision
def feature_matching(fake: Judgements, real: Judgements) -> Scalar:
    """Mean absolute difference of a discriminator's activations, averaged over its layers and scales.

    The real side is a constant: no gradient flows into it.

    Source: Wang et al. 2018 (pix2pixHD), eq. 4, with the sum over layers and scales as a mean.
    """
    distances = [
        (of_fake - of_real.detach()).abs().mean()
        for fake_scale, real_scale in zip(fake, real, strict=True)
        for of_fake, of_real in zip(fake_scale.features, real_scale.features, strict=True)
    ]
    return torch.stack(distances).mean()
