from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision.models import alexnet, inception_v3

from ganstyle.draws import generator_of
from ganstyle.errors import WeightsError
from ganstyle.metrics.absent import Absent
from ganstyle.metrics.artfid import ART_INCEPTION, ArtNetworks, Pictures, art_networks, artfid
from ganstyle.metrics.intervals import Interval
from ganstyle.metrics.lpips import BACKBONES, PairDistance
from ganstyle.metrics.published import hash_of
from ganstyle.metrics.sets import Bytes, as_images

COUNT = 40


def pictures(count: int = COUNT, seed: int = 0) -> Bytes:
    return torch.randint(0, 256, (count, 3, 8, 8), generator=generator_of("pictures", seed), dtype=torch.uint8)


def colors(images: Tensor) -> Tensor:
    return images.double().mean(dim=(2, 3)) / 10


NETWORKS = ArtNetworks(colors, 3, PairDistance("lpips", "none", lambda images: [(images + 2)]))


def test_it_is_one_plus_lpips_times_one_plus_the_frechet_distance() -> None:
    """Of features, mean colors over 10, whose mean alone differs, by 2 and 1 along two axes."""
    crops = pictures() // 2
    moved = crops + torch.tensor([20, 10, 0], dtype=torch.uint8)[:, None, None]
    found = artfid(Pictures(moved, moved, crops, torch.arange(COUNT)), NETWORKS, seed=0, draws=20)
    assert isinstance(found, Interval)
    assert found.value == pytest.approx(1 + 2**2 + 1**2)
    photographs = pictures(seed=1)
    apart = NETWORKS.content(as_images(photographs), as_images(moved)).double().mean()
    other = artfid(Pictures(moved, photographs, crops, torch.arange(COUNT)), NETWORKS, seed=0, draws=20)
    assert isinstance(other, Interval)
    assert other.value == pytest.approx(float(1 + apart) * 6)
    assert other.low < other.value < other.high


def test_without_its_own_networks_there_is_no_artfid() -> None:
    found = artfid(Pictures(pictures(), pictures(), pictures(), torch.arange(COUNT)), None, seed=0)
    assert str(found) == "artfid is left out, because its own networks were not given by --artfid."


def test_it_needs_as_many_pictures_as_any_frechet_distance() -> None:
    few = pictures(29)
    found = artfid(Pictures(few, few, pictures(), torch.arange(COUNT)), NETWORKS, seed=0)
    assert isinstance(found, Absent)
    assert "needs 30 pictures on either side and there are 29" in found.reason
    windows = artfid(Pictures(pictures(), pictures(), pictures(), torch.arange(COUNT) // 2), NETWORKS, seed=0)
    assert isinstance(windows, Absent)
    assert "needs 30 pictures on either side and there are 20" in windows.reason


def test_another_network_than_the_authors_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "art.pth")
    with pytest.raises(WeightsError, match="is not the art Inception"):
        art_networks(tmp_path / "art.pth", tmp_path / "alex.pth")


@pytest.mark.slow
def test_the_authors_files_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in with their names: Inception-v3 with two classifiers instead of one."""
    network = inception_v3(weights=None, aux_logits=False, transform_input=False, init_weights=False).eval()
    state = {name.replace("fc.", "fc1."): value for name, value in network.state_dict().items()}
    torch.save(state | {"fc2.weight": torch.zeros(2, 2048), "AuxLogits1.fc.bias": torch.zeros(3)}, tmp_path / "art.pth")
    torch.save(alexnet(weights=None).state_dict(), tmp_path / "alex.pth")
    published = replace(BACKBONES["alex"].published, sha256=hash_of(tmp_path / "alex.pth"))
    monkeypatch.setitem(BACKBONES, "alex", BACKBONES["alex"]._replace(published=published))
    networks = art_networks(tmp_path / "art.pth", tmp_path / "alex.pth", ART_INCEPTION)
    image = torch.randint(0, 256, (1, 3, 80, 80), dtype=torch.uint8)
    with torch.inference_mode():
        expected = network(image / 255)
        found = network.fc(networks.features(image))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    assert networks.features(image).shape == (1, networks.dimensions)
