from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchmetrics.functional.image.lpips import _LPIPS
from torchvision.models import alexnet, vgg16

from ganstyle.draws import generator_of
from ganstyle.errors import WeightsError
from ganstyle.metrics.features import feature_network
from ganstyle.metrics.lpips import BACKBONES, HEADS, Kind, distance, feature_distance, lpips
from ganstyle.metrics.published import DOWNLOAD, Published, hash_of

BUILDERS = {"vgg": vgg16, "alex": alexnet}


def images(seed: int, side: int = 64) -> Tensor:
    return 2 * torch.rand(3, 3, side, side, generator=generator_of("images", seed)) - 1


def stand_in(folder: Path, kind: Kind) -> tuple[Path, Published]:
    """Random weights in the published shape."""
    path = folder / f"{kind}.pth"
    torch.save(BUILDERS[kind](weights=None).state_dict(), path)
    return path, replace(BACKBONES[kind].published, sha256=hash_of(path))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["vgg", "alex"])
def test_the_distance_is_torchmetrics_lpips_on_the_same_backbone(tmp_path: Path, kind: Kind) -> None:
    path, published = stand_in(tmp_path, kind)
    ours = lpips(path, kind, published=published)
    theirs = _LPIPS(net=kind, pnet_rand=True)
    state = torch.load(path)
    slices = theirs.net.state_dict()
    theirs.net.load_state_dict({name: state[f"features.{name.split('.', 1)[1]}"] for name in slices})
    expected = theirs(images(0), images(1)).flatten()
    torch.testing.assert_close(ours(images(0), images(1)), expected, rtol=1e-4, atol=1e-6)
    assert ours.name == "lpips"


@pytest.mark.slow
def test_a_file_of_heads_gives_what_torchmetrics_heads_give(tmp_path: Path, shared_data: Path | None) -> None:
    if shared_data is None:
        pytest.skip("needs the shared heads")
    path, published = stand_in(tmp_path, "vgg")
    heads = shared_data / "weights" / "lpips_v0.1_vgg_lin.safetensors"
    given, carried = (lpips(path, "vgg", file, published) for file in (heads, None))
    assert given(images(0), images(1)).tolist() == carried(images(0), images(1)).tolist()


def test_no_other_backbone_than_torchvisions_makes_lpips(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "vgg.pth")
    with pytest.raises(WeightsError, match=r"is not torchvision's vgg16: .* instead of 397923af"):
        lpips(tmp_path / "vgg.pth")


def test_torchmetrics_carries_the_published_heads() -> None:
    assert all((HEADS / f"{kind}.pth").is_file() for kind in BACKBONES)


def test_through_any_other_network_the_distance_is_named_after_it() -> None:
    measure = feature_distance(feature_network())
    assert measure.name == "feature_distance[embedded]"
    assert measure.sha256 == feature_network().sha256


def test_equal_pictures_are_at_distance_zero_and_order_does_not_matter() -> None:
    measure = feature_distance(feature_network())
    first, second = images(0), images(1)
    assert measure(first, first).tolist() == [0, 0, 0]
    assert measure(first, second).min() > 0
    torch.testing.assert_close(measure(first, second), measure(second, first))


def test_each_pair_is_measured_on_its_own() -> None:
    measure = feature_distance(feature_network())
    first, second = images(0), images(1)
    alone = torch.cat([measure(a[None], b[None]) for a, b in zip(first, second, strict=True)])
    torch.testing.assert_close(measure(first, second), alone)


def test_perpendicular_activations_are_two_apart_and_heads_weigh_channels() -> None:
    first = torch.tensor([[3.0, 0.0], [0.0, 5.0]]).reshape(2, 2, 1, 1)
    second = first.flip(1)
    assert distance([first], [second]).tolist() == pytest.approx([2, 2])
    assert distance([first], [second], [torch.tensor([0.5, 0.25])]).tolist() == pytest.approx([0.75, 0.75])
    assert distance([first], [7 * first]).tolist() == pytest.approx([0, 0], abs=1e-6)


@pytest.mark.network
def test_the_published_networks_can_be_downloaded() -> None:
    assert lpips(DOWNLOAD, "alex")(images(0), images(0)).tolist() == [0, 0, 0]
