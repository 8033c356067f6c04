"""Which scores a model was trained to do well in: they are marked, and take no part in its headline."""

from collections.abc import Mapping
from typing import NamedTuple


class Trained(NamedTuple):
    """What a term of the training loss does to a score."""

    score: str
    same_features: bool
    """Only where the judge looks through the feature network that the model was trained with."""


TERMS: Mapping[str, tuple[Trained, ...]] = {
    "content": (Trained("self_similarity", same_features=True),),
    "style": (Trained("gram", same_features=True),),
    "style_moments": (Trained("gram", same_features=True),),
    "style_bands": (Trained("gabor", same_features=False),),
    "style_patches": (Trained("patches", same_features=False),),
    "l1": (Trained("l1", same_features=False),),
}
"""By the names that methods give the terms of their generators."""


def scores_of_features(losses: Mapping[str, Mapping[str, float]]) -> frozenset[str]:
    """Name the scores that a model was trained to do well in as another feature network sees them."""
    return trained_scores(losses, same_features=True) - trained_scores(losses, same_features=False)


def trained_scores(losses: Mapping[str, Mapping[str, float]], *, same_features: bool) -> frozenset[str]:
    """Name the scores that a model was trained to do well in.

    Args:
        losses: the weight of each term by player, as an artifact's card tells it; a weight of 0 trains nothing.
        same_features: whether the judge's feature network is the one that the model was trained with, or may be.
    """
    terms = [term for player in losses.values() for term, weight in player.items() if weight]
    effects = [effect for term in terms for effect in TERMS.get(term, ())]
    return frozenset(effect.score for effect in effects if same_features or not effect.same_features)
