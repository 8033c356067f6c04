import time
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ganstyle.data.toy import landscapes
from ganstyle.errors import ShapeError, WeightsError
from ganstyle.losses.perceptual import gram
from ganstyle.metrics.features import FeatureNetwork, feature_network
from ganstyle.metrics.recolor import baseline_rows
from ganstyle.metrics.sets import as_images, stacked
from ganstyle.metrics.style import GRAM_LAYERS, PROBES, StyleScore, energy_distance, gram_probes, style_scores
from ganstyle.nn.vgg import Perceptual
from ganstyle.nn.vgg_files import random_weights

COUNT, SIZE = 24, 96
NAMES = ("gram", "patches", "gabor", "color")
every = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def scores() -> dict[str, StyleScore]:
    return {score.name: score for score in style_scores(feature_network(), seed=0)}


@pytest.fixture(scope="module")
def rows() -> dict[str, Tensor]:
    photographs, truths = (as_images(stacked(list(side))) for side in landscapes("test", COUNT, SIZE))
    crops = as_images(stacked(list(landscapes("train paintings", COUNT, SIZE)[1])))
    return baseline_rows(photographs, crops, seed=0) | {"truth": truths, "crops": crops}


@pytest.fixture(scope="module")
def described(scores: dict[str, StyleScore], rows: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    return {name: {row: score.describe(images) for row, images in rows.items()} for name, score in scores.items()}


class _Cut(Perceptual):
    """Only some layers of a network."""

    def __init__(self, layers: tuple[str, ...]) -> None:
        super().__init__(random_weights("vgg19", 0))
        self.layers = layers


def descriptors(seed: int, count: int = 7, level: float = 0.0) -> Tensor:
    return level + torch.randn(count, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_there_are_four_scores(scores: dict[str, StyleScore]) -> None:
    assert tuple(scores) == NAMES


@every
def test_the_true_painter_is_nearer_than_recoloring_and_that_than_the_photographs(
    name: str, scores: dict[str, StyleScore], described: dict[str, dict[str, Tensor]]
) -> None:
    far = {row: scores[name].distance(found, described[name]["crops"]) for row, found in described[name].items()}
    assert far["crops"] < 1e-6
    assert max(far["truth"], far["style-copy"]) < far["mkl"] < far["half-blend"] < far["identity"]


@pytest.mark.parametrize("name", ["patches", "color"])
def test_half_the_results_exchanged_for_pictures_of_the_collection_are_half_as_far(
    name: str, scores: dict[str, StyleScore], described: dict[str, dict[str, Tensor]]
) -> None:
    own, crops = described[name]["identity"], described[name]["crops"]
    mixed = scores[name].distance(torch.cat([own, crops]), crops)
    assert mixed == pytest.approx(scores[name].distance(own, crops) / 2, rel=1e-9)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_energy_distance_falls_in_proportion_to_the_share_that_is_exchanged(share: float) -> None:
    kept = round(400 * (1 - share))
    mixed = torch.cat([descriptors(0, kept, 2.0), descriptors(1, 400 - kept)])
    whole = energy_distance(descriptors(2, 400, 2.0), descriptors(3, 400))
    assert energy_distance(mixed, descriptors(3, 400)) == pytest.approx((1 - share) * whole, rel=0.05)


@every
def test_a_picture_is_described_by_itself(
    name: str, scores: dict[str, StyleScore], rows: dict[str, Tensor], described: dict[str, dict[str, Tensor]]
) -> None:
    alone = torch.cat([scores[name].describe(image[None]) for image in rows["truth"][:3]])
    torch.testing.assert_close(alone, described[name]["truth"][:3], rtol=1e-5, atol=1e-5)
    assert alone.dtype == torch.float64


@every
def test_the_order_of_pictures_does_not_matter(
    name: str, scores: dict[str, StyleScore], described: dict[str, dict[str, Tensor]]
) -> None:
    own, crops, distance = described[name]["identity"], described[name]["crops"], scores[name].distance
    assert distance(own.flip(0), crops.roll(3, 0)) == pytest.approx(distance(own, crops), rel=1e-9)


def naive_energy(results: Tensor, references: Tensor) -> float:
    between = [float((a - b).square().sum().sqrt()) for a in results for b in references]
    within = [
        [float((a - b).square().sum().sqrt()) for a, b in combinations(side, 2)] for side in (results, references)
    ]
    means = [sum(values) / len(values) for values in (between, *within)]
    return max(0.0, 2 * means[0] - means[1] - means[2]) ** 0.5


@settings(max_examples=5)
@given(seed=st.integers(0, 10**6), level=st.floats(0, 3))
def test_energy_distance_agrees_with_a_naive_loop(seed: int, level: float) -> None:
    results, references = descriptors(seed), descriptors(seed + 1, 4, level)
    assert energy_distance(results, references) == pytest.approx(naive_energy(results, references), abs=1e-6)


@given(seed=st.integers(0, 10**6))
def test_energy_distance_is_symmetric_and_never_negative(seed: int) -> None:
    one, other = descriptors(seed), descriptors(seed + 1)
    assert energy_distance(one, other) == pytest.approx(energy_distance(other, one), abs=1e-6)
    assert energy_distance(one, other) >= 0


def test_energy_distance_of_single_pictures_is_the_root_of_twice_their_distance() -> None:
    one, other = torch.zeros(1, 2, dtype=torch.float64), torch.tensor([[3.0, 4.0]], dtype=torch.float64)
    assert energy_distance(one, other) == pytest.approx(10**0.5)


def test_small_samples_of_one_distribution_are_not_farther_apart_than_large_ones() -> None:
    squares = [energy_distance(descriptors(2 * n, 8), descriptors(2 * n + 1, 8)) ** 2 for n in range(200)]
    naive = 2 * descriptors(0, 500).norm(dim=1).mean() / 8
    assert sum(squares) / 200 < 0.5 * float(naive)


def test_probes_tell_how_far_gram_matrices_are_apart() -> None:
    network = feature_network()
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    images[1] *= 0.3
    probes = gram_probes(images, network, seed=0).unflatten(1, (-1, PROBES))
    for layer, found in zip(GRAM_LAYERS, (probes[0] - probes[1]).norm(dim=1), strict=True):
        first, second = gram(network(images, [layer])[layer])
        assert float(found) == pytest.approx(float((first - second).norm()), rel=0.3)


def test_layers_that_a_network_lacks_do_not_count_and_some_must_be_there() -> None:
    network = feature_network("random")
    shallow = FeatureNetwork("shallow", network.sha256, _Cut(("relu1_1", "relu1_2")))
    assert gram_probes(torch.zeros(1, 3, 48, 48), shallow, seed=0).shape == (1, PROBES)
    with pytest.raises(WeightsError, match="the features bare have none of relu1_1"):
        gram_probes(torch.zeros(1, 3, 48, 48), FeatureNetwork("bare", "0", _Cut(("relu1_2",))), seed=0)


def test_pictures_too_small_for_four_octaves_are_refused(scores: dict[str, StyleScore]) -> None:
    with pytest.raises(ShapeError, match="at least 40 x 40 pixels, but got 39 x 64"):
        scores["patches"].describe(torch.zeros(1, 3, 39, 64))
    with pytest.raises(ShapeError, match="at least 88 x 88 pixels, but got 96 x 87"):
        scores["gabor"].describe(torch.zeros(1, 3, 96, 87))


@pytest.mark.slow
def test_a_picture_takes_less_than_half_a_second_of_one_core(
    scores: dict[str, StyleScore],
) -> None:
    pictures = torch.rand(48, 3, 256, 256) * 2 - 1
    start = time.process_time()
    for score in scores.values():
        found = score.describe(pictures)
        score.distance(found[:16], found[16:])
    assert time.process_time() - start < 24
