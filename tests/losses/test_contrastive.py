import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganstyle.losses.contrastive import patch_nce

SEED = st.integers(0, 1000)


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def naive(queries: list[list[float]], keys: list[list[float]], temperature: float) -> float:
    def cosine(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))

    losses = []
    for place, query in enumerate(queries):
        likeness = [math.exp(cosine(query, key) / temperature) for key in keys]
        losses.append(-math.log(likeness[place] / sum(likeness)))
    return sum(losses) / len(losses)


@given(seed=SEED, temperature=st.floats(0.05, 2))
def test_patch_nce_agrees_with_a_loop(seed: int, temperature: float) -> None:
    queries, keys = noise(seed, 2, 5, 3), noise(seed + 1, 2, 5, 3)
    pairs = zip(queries.tolist(), keys.tolist(), strict=True)
    expected = sum(naive(q, k, temperature) for q, k in pairs) / 2
    assert patch_nce(queries, keys, temperature=temperature).item() == pytest.approx(expected)


@given(seed=SEED)
def test_length_rotation_and_order_of_patches_do_not_matter(seed: int) -> None:
    queries, keys = noise(seed, 2, 6, 4), noise(seed + 1, 2, 6, 4)
    rotation = torch.linalg.qr(noise(seed + 2, 4, 4)).Q
    order = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    loss = patch_nce(queries, keys)
    torch.testing.assert_close(patch_nce(3 * queries, 0.2 * keys), loss)
    torch.testing.assert_close(patch_nce(queries @ rotation, keys @ rotation), loss)
    torch.testing.assert_close(patch_nce(queries[:, order], keys[:, order]), loss)


@given(seed=SEED)
def test_the_loss_is_never_negative_and_least_for_equal_patches(seed: int) -> None:
    keys = noise(seed, 1, 6, 4)
    assert 0 <= patch_nce(keys, keys) < patch_nce(noise(seed + 1, 1, 6, 4), keys)


def test_keys_that_are_all_alike_cost_the_logarithm_of_their_number() -> None:
    assert patch_nce(torch.ones(2, 8, 3), torch.ones(2, 8, 3)).item() == pytest.approx(math.log(8))


def test_two_orthogonal_patches_by_hand() -> None:
    # own key at similarity 1, the other at 0, temperature 1: -ln(e / (e + 1)) = 0.31326
    patches = torch.eye(2)[None]
    assert patch_nce(patches, patches, temperature=1.0).item() == pytest.approx(0.31326169)
    # swapped: -ln(1 / (e + 1)) = 1.31326
    assert patch_nce(patches, patches.flip(1), temperature=1.0).item() == pytest.approx(1.31326169)


def test_keys_are_constants() -> None:
    queries, keys = (torch.randn(1, 4, 3, requires_grad=True) for _ in range(2))
    patch_nce(queries, keys).backward()
    assert queries.grad is not None
    assert keys.grad is None


def test_a_query_of_zeros_does_not_outweigh_all_others() -> None:
    queries, keys = noise(0, 1, 8, 16), noise(1, 1, 8, 16)
    queries[0, 0] = 0
    patch_nce(queries.requires_grad_(), keys).backward()
    assert queries.grad is not None
    assert queries.grad.isfinite().all()
    assert queries.grad[0, 0].norm() < 1e6
