import json
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ganstyle.errors import WeightsError
from ganstyle.metrics.features import BATCH, akin, feature_network
from ganstyle.nn.vgg import perceptual
from ganstyle.nn.vgg_files import EMBEDDED


def pictures(count: int = 3, side: int = 16) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(count)) * 2 - 1


def test_the_embedded_features_carry_the_hash_of_their_file() -> None:
    network = feature_network()
    assert network.name == "embedded"
    assert network.sha256 == sha256(EMBEDDED.read_bytes()).hexdigest()
    assert network.layers[-1] == "relu4_1"


def test_the_embedded_features_are_akin_to_the_networks_that_taught_them_and_to_no_other() -> None:
    own = feature_network().sha256
    card = json.loads((EMBEDDED.parent / "card.json").read_text())
    teachers = [teacher["sha256"] for teacher in card["teachers"]]
    assert len(teachers) == 2
    assert all(akin(own, teacher) and akin(teacher, own) for teacher in teachers)
    assert not akin(teachers[0], teachers[1])
    assert not akin(own, own)
    assert not akin(own, "0" * 64)


def test_a_file_gives_its_stem_and_its_hash(tmp_path: Path) -> None:
    file = tmp_path / "vgg19-of-mine.safetensors"
    file.write_bytes(EMBEDDED.read_bytes())
    network = feature_network(path=file)
    assert (network.name, network.sha256) == ("vgg19-of-mine", sha256(EMBEDDED.read_bytes()).hexdigest())


def test_random_features_are_named_so_and_hashed_by_their_values() -> None:
    one, same, other = (feature_network("random", seed=seed) for seed in (0, 0, 1))
    assert one.name == "random vgg19 of seed 0"
    assert one.sha256 == same.sha256 != other.sha256


def test_features_are_those_of_the_network_without_gradients() -> None:
    images, layers = pictures(2 * BATCH + 1), ["relu1_1", "relu3_1"]
    found, expected = feature_network()(images.requires_grad_(), layers), perceptual()(images, layers)
    for layer in layers:
        assert not found[layer].requires_grad
        torch.testing.assert_close(found[layer], expected[layer], rtol=1e-4, atol=1e-5)


def test_unknown_weights_and_layers_are_refused() -> None:
    with pytest.raises(WeightsError, match="did you mean 'embedded'"):
        feature_network("embeded")
    with pytest.raises(WeightsError, match="has no relu5_1"):
        feature_network()(pictures(), ["relu5_1"])


@pytest.mark.gpu
def test_features_on_a_gpu_are_those_of_the_processor_and_come_back_to_the_pictures() -> None:
    images, layers = pictures(BATCH + 1, 64), ["relu1_1", "relu4_1"]
    found, expected = feature_network(device="cuda")(images, layers), feature_network()(images, layers)
    for layer in layers:
        assert found[layer].device == images.device
        torch.testing.assert_close(found[layer], expected[layer], rtol=1e-3, atol=1e-4)
