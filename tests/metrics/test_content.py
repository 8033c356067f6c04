import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ganstyle.data.toy import landscapes
from ganstyle.errors import ShapeError
from ganstyle.metrics import content
from ganstyle.metrics.content import dog_ssim, edge_correlation, self_similarity
from ganstyle.metrics.features import feature_network
from ganstyle.metrics.sets import as_images, stacked

Compare = Callable[[Tensor, Tensor], Tensor]


def seen(source: Tensor, result: Tensor) -> Tensor:
    network = feature_network()
    return self_similarity(network(source, ["relu3_1"])["relu3_1"], network(result, ["relu3_1"])["relu3_1"])


SCORES: dict[str, Compare] = {"edges": edge_correlation, "bands": dog_ssim, "features": seen}
every = pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)


@pytest.fixture(scope="module")
def scenes() -> Tensor:
    return as_images(stacked(list(landscapes("test", 8, 64)[0])))


def noise(seed: int, shape: tuple[int, ...]) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@every
@pytest.mark.parametrize("size", [(44, 44), (49, 67), (96, 64)])
def test_a_photograph_keeps_exactly_all_of_itself(score: Compare, size: tuple[int, int]) -> None:
    pictures = noise(0, (3, 3, *size)).clamp(-1, 1)
    assert score(pictures, pictures).tolist() == [1.0, 1.0, 1.0]


@every
def test_a_picture_of_one_color_keeps_all_of_itself_and_next_to_nothing_of_another(
    score: Compare, scenes: Tensor
) -> None:
    flat = torch.full_like(scenes, 0.3)
    assert score(flat, flat) == pytest.approx(1.0, abs=1e-12)
    assert score(scenes, flat).max() < 0.3


@every
def test_a_global_change_of_color_and_contrast_costs_less_than_any_damage(score: Compare, scenes: Tensor) -> None:
    recolored = 0.6 * scenes * torch.tensor([1.0, 0.8, 1.1]).reshape(1, 3, 1, 1) + 0.1
    blurred = F.avg_pool2d(F.pad(scenes, (4, 4, 4, 4), mode="reflect"), 9, stride=1)
    noisy = (scenes + 0.3 * noise(1, scenes.shape)).clamp(-1, 1)
    shuffled = scenes.roll(1, 0)
    for damaged in (blurred, noisy, shuffled):
        assert (score(scenes, recolored) - score(scenes, damaged)).mean() > 0.02


@pytest.mark.parametrize("score", [edge_correlation, dog_ssim])
@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), gain=st.floats(0.2, 3.0), level=st.floats(-0.5, 0.5))
def test_gain_and_level_of_the_luminance_cost_nothing(score: Compare, seed: int, gain: float, level: float) -> None:
    gray = noise(seed, (1, 1, 48, 48)).expand(-1, 3, -1, -1).contiguous()
    assert score(gray, gain * gray + level) == pytest.approx(1.0, abs=1e-4)


@every
@settings(max_examples=6)
@given(seed=st.integers(0, 10**6))
def test_scores_are_symmetric_and_at_most_1(score: Compare, seed: int) -> None:
    one, other = noise(seed, (2, 3, 48, 48)).clamp(-1, 1), noise(seed + 1, (2, 3, 48, 48)).clamp(-1, 1)
    forth, back = score(one, other), score(other, one)
    torch.testing.assert_close(forth, back, rtol=1e-4, atol=1e-5)
    assert forth.max() <= 1


@every
def test_each_picture_is_compared_with_its_own_source(score: Compare, scenes: Tensor) -> None:
    results = (scenes + 0.2 * noise(2, scenes.shape)).clamp(-1, 1)
    alone = torch.cat([score(a[None], b[None]) for a, b in zip(scenes, results, strict=True)])
    torch.testing.assert_close(score(scenes, results), alone, rtol=1e-4, atol=1e-5)


def test_the_negative_has_the_edges_and_none_of_the_bands(scenes: Tensor) -> None:
    assert edge_correlation(scenes, -scenes) == pytest.approx(1.0, abs=1e-9)
    assert dog_ssim(scenes, -scenes).max() < 0


def test_edges_agree_with_numpys_correlation_at_the_first_octave(scenes: Tensor) -> None:
    own, other = (content._edges(content._octaves(images)[0]) for images in (scenes, scenes.roll(1, 0)))
    for found, a, b in zip(content._correlation(own, other), own, other, strict=True):
        assert float(found) == pytest.approx(float(torch.corrcoef(torch.stack([a, b]))[0, 1]), abs=1e-9)


def naive_similarity(own: Tensor, other: Tensor) -> float:
    """Ratio of moments in every 11 x 11 window under a Gaussian of deviation 1.5, averaged."""
    weights = [[math.exp(-(x * x + y * y) / (2 * 1.5**2)) for x in range(-5, 6)] for y in range(-5, 6)]
    window = torch.tensor(weights, dtype=torch.float64) / sum(map(sum, weights))
    values = []
    for row in range(own.shape[0] - 10):
        for column in range(own.shape[1] - 10):
            a, b = (side[row : row + 11, column : column + 11] for side in (own, other))
            both, squares = float((window * a * b).sum()), float((window * (a * a + b * b)).sum())
            values.append((2 * both + content.QUIET) / (squares + content.QUIET))
    return sum(values) / len(values)


def test_the_similarity_of_bands_agrees_with_a_naive_loop() -> None:
    own = noise(0, (2, 1, 14, 17)).double()
    other = own + 0.7 * noise(1, own.shape)
    mirrored = [F.pad(side, (5, 5, 5, 5), mode="reflect")[:, 0] for side in (own, other)]
    for found, a, b in zip(content._similarity(own, other), *mirrored, strict=True):
        assert float(found) == pytest.approx(naive_similarity(a, b), abs=1e-9)


def naive_self_similarity(own: Tensor, other: Tensor) -> float:
    """Share of mass that two columns of normalized cosine distances have in common, averaged over columns."""
    columns = []
    for features in (own, other):
        places = [features[:, row, column] for row in range(features.shape[1]) for column in range(features.shape[2])]
        table = [[1 - float(F.cosine_similarity(a, b, dim=0)) for b in places] for a in places]
        columns.append([[value / sum(line) for value in line] for line in table])
    shares = [sum(map(min, a, b)) for a, b in zip(*columns, strict=True)]
    return sum(shares) / len(shares)


def test_self_similarity_agrees_with_a_naive_loop() -> None:
    own, other = noise(0, (2, 5, 3, 4)).abs(), noise(1, (2, 5, 3, 4)).abs()
    for found, a, b in zip(self_similarity(own, other), own, other, strict=True):
        assert float(found) == pytest.approx(naive_self_similarity(a, b), abs=1e-5)


def test_self_similarity_looks_at_a_lattice_of_a_large_map() -> None:
    own, other = noise(0, (1, 4, 70, 33)).abs(), noise(1, (1, 4, 70, 33)).abs()
    torch.testing.assert_close(self_similarity(own, other), self_similarity(own[..., ::3, ::2], other[..., ::3, ::2]))


def test_pictures_too_small_for_three_octaves_are_refused() -> None:
    with pytest.raises(ShapeError, match="at least 44 x 44 pixels, but got 43 x 60"):
        edge_correlation(torch.zeros(1, 3, 43, 60), torch.zeros(1, 3, 43, 60))
