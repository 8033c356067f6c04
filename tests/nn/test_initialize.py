import pytest
import torch
from torch import nn

from ganstyle.nn.light import Light
from ganstyle.nn.patchgan import PatchGAN
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet

NETWORKS = [
    UNet(depth=5, channels=16),
    ResNet(blocks=3, channels=16, norm="affine_instance"),
    ResNet(blocks=3, channels=16, styles=8),
    Light(upsampling="pixel_shuffle"),
    PatchGAN(norm="batch", channels=32),
]
TAPS = ["stem", "down1", "down2", "block6"]


def values(network: nn.Module, kinds: tuple[type[nn.Module], ...], name: str) -> torch.Tensor:
    layers = [layer for layer in network.modules() if isinstance(layer, kinds)]
    found = [getattr(layer, name) for layer in layers if isinstance(getattr(layer, name), nn.Parameter)]
    return torch.cat([torch.zeros(0), *(value.detach().flatten() for value in found)])


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: type(network).__name__)
def test_convolutions_start_from_normal_0_002(network: nn.Module) -> None:
    weights = values(network, (nn.Conv2d, nn.ConvTranspose2d), "weight")
    assert abs(weights.mean()) < 4e-4
    assert weights.std() == pytest.approx(0.02, rel=0.03)
    assert not values(network, (nn.Conv2d, nn.ConvTranspose2d), "bias").any()


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: type(network).__name__)
def test_norms_start_from_scale_normal_1_002_and_no_shift(network: nn.Module) -> None:
    norms = tuple({type(layer) for layer in network.modules() if "Norm" in type(layer).__name__})
    scales = values(network, norms, "weight")
    assert scales.mean() == pytest.approx(1, abs=0.01)
    assert scales.std() == pytest.approx(0.02, rel=0.3)
    assert not values(network, norms, "bias").any()


@pytest.mark.parametrize("upsampling", ["nearest", "pixel_shuffle", "transpose"])
@pytest.mark.parametrize("kind", [Light, ResNet])
def test_without_norms_activations_keep_their_size_and_blocks_change_nothing_at_first(
    kind: type[Light | ResNet], upsampling: str
) -> None:
    network = kind(norm="none", blocks=6, channels=32, upsampling=upsampling)
    image = torch.randn(2, 3, 64, 64)
    sizes = {name: values.square().mean().sqrt() for name, values in network.features(image, TAPS).items()}
    last = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)][-1]
    last.register_forward_pre_hook(lambda _, given: sizes.update(decoded=given[0].square().mean().sqrt()))
    assert network(image).abs().mean() < 0.6
    assert len(sizes) == 5
    assert all(0.4 < size < 1.5 for size in sizes.values()), sizes
    torch.testing.assert_close(sizes["block6"], sizes["down2"])
