"""Losses that tell what belongs together from what does not."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganstyle.losses.precision import in_full_precision
from ganstyle.types import Scalar

SHORTEST = 1e-4
"""Vectors shorter than this count as so long: the slope of a direction has no bound at 0."""
Vectors = Float[Tensor, "batch patches width"]


@in_full_precision
def patch_nce(queries: Vectors, keys: Vectors, *, temperature: float = 0.07) -> Scalar:
    """Cross-entropy of recognising each query's own key among the keys of its image, by cosine similarity.

    Query and key of one patch stand in the same place; keys are constants. log(patches) when all keys are alike,
    never negative.

    Source: Park et al. 2020, eq. 2 and 3, averaged over patches and images.
    """
    similarities = _directions(queries) @ _directions(keys.detach()).mT
    own = torch.arange(queries.shape[1], device=queries.device).expand(queries.shape[:2])
    return F.cross_entropy(similarities.flatten(0, 1) / temperature, own.flatten())


def _directions(vectors: Vectors) -> Vectors:
    return F.normalize(vectors, dim=2, eps=SHORTEST)
