import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganstyle.losses.matching import feature_matching
from ganstyle.types import Judgement

SEED = st.integers(0, 1000)


def judgements(seed: int) -> tuple[Judgement, ...]:
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return tuple(
        Judgement(noise(2, 1, side, side), (noise(2, 4, 2 * side, 2 * side), noise(2, 8, side, side)))
        for side in (4, 2)
    )


@given(seed=SEED)
def test_feature_matching_is_a_distance_of_features(seed: int) -> None:
    a, b = judgements(seed), judgements(seed + 1)
    assert feature_matching(a, a) == 0
    assert feature_matching(a, b) == feature_matching(b, a) > 0


@given(seed=SEED)
def test_feature_matching_agrees_with_a_loop(seed: int) -> None:
    a, b = judgements(seed), judgements(seed + 1)
    layers = [(x, y) for p, q in zip(a, b, strict=True) for x, y in zip(p.features, q.features, strict=True)]
    means = []
    for x, y in layers:
        differences = [abs(m - n) for m, n in zip(x.flatten().tolist(), y.flatten().tolist(), strict=True)]
        means.append(sum(differences) / len(differences))
    assert feature_matching(a, b).item() == pytest.approx(sum(means) / 4)


def test_every_layer_counts_the_same_by_hand() -> None:
    # three numbers off by 1 and one number off by 5: (1 + 5) / 2
    real = Judgement(torch.zeros(1, 1, 1, 1), (torch.zeros(1, 1, 1, 3), torch.zeros(1, 1, 1, 1)))
    fake = Judgement(torch.ones(1, 1, 1, 1), (torch.ones(1, 1, 1, 3), torch.full((1, 1, 1, 1), -5.0)))
    assert feature_matching((fake,), (real,)) == 3


def test_the_real_side_is_a_constant() -> None:
    real, fake = (torch.randn(1, 2, 3, 3, requires_grad=True) for _ in range(2))
    logits = torch.zeros(1, 1, 1, 1)
    feature_matching((Judgement(logits, (fake,)),), (Judgement(logits, (real,)),)).backward()
    assert fake.grad is not None
    assert real.grad is None
