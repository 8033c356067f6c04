from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ganstyle.draws import generator_of
from ganstyle.metrics.absent import Absent
from ganstyle.metrics.deception import Collection, Deception, Trial, deception, train
from ganstyle.metrics.features import FeatureNetwork, feature_network
from ganstyle.metrics.recolor import mkl
from ganstyle.metrics.sets import Bytes, as_bytes, as_images, read_references, read_sources

COUNT = 24
SIDE = 64


@pytest.fixture(scope="module")
def network() -> FeatureNetwork:
    return feature_network()


def smooth(count: int, seed: int) -> Tensor:
    """Cloudy pictures that stand in for photographs."""
    coarse = torch.rand(count, 3, 5, 5, generator=generator_of("clouds", seed))
    return torch.nn.functional.interpolate(2 * coarse - 1, (SIDE, SIDE), mode="bicubic").clamp(-1, 1)


def hatched(images: Tensor) -> Tensor:
    """The same with diagonal strokes, for paintings."""
    place = torch.arange(SIDE)
    return (images + 0.3 * torch.sin((place[:, None] + place) * 0.9)).clamp(-1, 1)


def judged(network: FeatureNetwork, rows: Mapping[str, Bytes], seed: int = 0) -> Deception | Absent:
    photographs, crops = smooth(COUNT, 0), hatched(smooth(COUNT, 1))
    collection = Collection(as_bytes(crops), torch.arange(COUNT) // 2)
    return deception(as_bytes(photographs), as_bytes(mkl(photographs, crops)), collection, rows, network, seed=seed)


def test_identity_and_recoloring_deceive_nobody_and_copies_everybody(network: FeatureNetwork) -> None:
    photographs, crops = smooth(COUNT, 0), hatched(smooth(COUNT, 1))
    rows = {
        "identity": photographs,
        "mkl": mkl(photographs, crops),
        "style-copy": crops.roll(5, dims=0),
        "strokes": hatched(photographs),
    }
    found = judged(network, {name: as_bytes(images) for name, images in rows.items()})
    assert isinstance(found, Deception)
    assert found.accuracy.low >= 0.7
    assert found.rates["identity"].value == found.rates["mkl"].value == 0
    assert found.rates["style-copy"].value == found.rates["strokes"].value == 1
    assert found.rates["identity"].high < 0.2
    assert "balanced accuracy of 1.00 [0.8" in str(found)


def test_no_rate_is_given_where_paintings_look_like_photographs(network: FeatureNetwork) -> None:
    photographs, crops = smooth(COUNT, 0), smooth(COUNT, 1)
    collection = Collection(as_bytes(crops), torch.arange(COUNT))
    found = deception(as_bytes(photographs), as_bytes(mkl(photographs, crops)), collection, {}, network, seed=0)
    assert isinstance(found, Absent)
    assert "balanced accuracy of only 0." in found.reason
    assert "lower bound should be 0.7" in found.reason


def test_one_painting_cannot_be_both_learned_from_and_tested_on(network: FeatureNetwork) -> None:
    pictures = as_bytes(smooth(4, 0))
    found = deception(pictures, pictures, Collection(pictures, torch.zeros(4, dtype=torch.int64)), {}, network, seed=0)
    assert isinstance(found, Absent)
    assert "two paintings" in found.reason


def test_the_same_pictures_give_the_same_rates(network: FeatureNetwork) -> None:
    rows = {"strokes": as_bytes(hatched(smooth(COUNT, 0)))}
    assert judged(network, rows, seed=4) == judged(network, rows, seed=4)


def trial(crops: Tensor, others: Tensor, painting: Tensor) -> Trial:
    return Trial(crops, others[None], painting, painting % 5, torch.arange(len(others)) % 5)


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=generator_of("normal", seed), dtype=torch.float64)


def test_crops_of_one_painting_cannot_teach_the_classifier_to_know_that_painting() -> None:
    """Each painting has a place of its own, far off in a direction that says nothing of others."""
    painting = torch.arange(10).repeat_interleave(20)
    crops = (6 * normal(10, 60, seed=0)).repeat_interleave(20, dim=0) + 0.01 * normal(200, 60, seed=1)
    others = 6 * normal(40, 60, seed=2)
    by_painting = trial(crops, others, painting).accuracy()
    by_crop = trial(crops, others, torch.arange(200)).accuracy()
    assert by_crop.value > by_painting.value + 0.15
    assert by_painting.low < 0.7


def test_the_classifier_is_as_often_right_as_the_best_one_for_two_normal_classes() -> None:
    """Two normal classes at the distance 2 along one axis can be told apart with probability Phi(1) = 0.841."""
    shift = torch.tensor([2.0, *[0.0] * 4], dtype=torch.float64)
    found = trial(normal(600, 5, seed=0) + shift, normal(600, 5, seed=1), torch.arange(600)).accuracy()
    assert found.value == pytest.approx(0.841, abs=0.02)


def test_paintings_with_many_crops_count_no_more_than_others() -> None:
    crops, others = normal(6, 3, seed=0) + 1, normal(8, 3, seed=1)
    repeated = torch.cat([crops, crops[:2].repeat(9, 1)])
    weights = torch.ones(24, dtype=torch.float64)
    weights[[0, 1, *range(6, 24)]] = 0.1
    once, often = train(crops, others, torch.ones(6, dtype=torch.float64)), train(repeated, others, weights)
    torch.testing.assert_close(once.slope, often.slope)
    torch.testing.assert_close(once.mean, often.mean)


@pytest.mark.slow
@pytest.mark.parametrize("collection", ["monet", "vangogh"])
def test_paintings_by_a_master_are_told_from_photographs(
    network: FeatureNetwork, shared_data: Path | None, collection: str
) -> None:
    if shared_data is None:
        pytest.skip("needs the shared pictures")
    photographs = read_sources("photographs", sorted((shared_data / "monet2photo" / "testB").iterdir())[:60], 256)
    folder = shared_data / ("monet2photo/testA" if collection == "monet" else "paintings/vangogh")
    paintings = read_references("paintings", sorted(folder.glob("*.jpg")), 256)
    images, crops = as_images(photographs.pictures), as_images(paintings.crops)
    recolored = as_bytes(mkl(images, crops))
    copies = paintings.crops[torch.arange(60) * 7 % len(crops)]
    rows = {"identity": photographs.pictures, "mkl": recolored, "style-copy": copies}
    known = Collection(paintings.crops, paintings.painting)
    found = deception(photographs.pictures, recolored, known, rows, network, seed=0)
    assert isinstance(found, Deception)
    assert found.rates["identity"].high < 0.3
    assert found.rates["mkl"].high < 0.3
    assert found.rates["style-copy"].low > 0.7
