from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from ganstyle.metrics.features import FeatureNetwork, feature_network
from ganstyle.metrics.glance import glance


def pictures(seed: int) -> Tensor:
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures the network really looked at, call by call."""
    counts: list[int] = []
    original = FeatureNetwork.__call__

    def counted(self: FeatureNetwork, images: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        counts.append(len(images))
        return original(self, images, layers)

    monkeypatch.setattr(FeatureNetwork, "__call__", counted)
    return counts


def test_it_shows_what_the_network_shows(looks: list[int]) -> None:
    network = feature_network()
    look = glance(network, ["relu1_1", "relu4_1"])
    for seed in (0, 1, 0):
        for layers in (["relu1_1"], ["relu4_1"], ["relu2_1"]):
            torch.testing.assert_close(look(pictures(seed), layers), network(pictures(seed), layers))
    assert (look.name, look.sha256) == (network.name, network.sha256)


def test_photographs_and_results_are_looked_at_once(looks: list[int]) -> None:
    look = glance(feature_network(), ["relu1_1", "relu4_1"])
    source, *results = (pictures(seed) for seed in range(4))
    for result in results:
        for image in (source, result, result):
            look(image, ["relu4_1"])
            look(torch.split(image, 8)[0], ["relu1_1"])
    assert len(looks) == 4


def test_other_pictures_of_the_same_size_are_not_mistaken(looks: list[int]) -> None:
    look = glance(feature_network(), ["relu1_1"])
    whole = pictures(0)
    first, second = look(whole[:1], ["relu1_1"]), look(whole[1:], ["relu1_1"])
    assert not torch.equal(first["relu1_1"], second["relu1_1"])
    for seed in range(1, 6):  # the allocator would hand out the same place again
        here = look(pictures(seed), ["relu1_1"])["relu1_1"]
        torch.testing.assert_close(here, feature_network()(pictures(seed), ["relu1_1"])["relu1_1"])
