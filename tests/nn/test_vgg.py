import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import Tensor, nn
from torchvision.models import vgg16, vgg19

from ganstyle import images
from ganstyle.errors import ShapeError, WeightsError
from ganstyle.nn.vgg import Perceptual, perceptual
from ganstyle.nn.vgg_files import orthogonal_weights
from ganstyle.nn.vgg_layers import convolutions
from ganstyle.nn.vgg_weights import IMAGENET_MEAN, IMAGENET_STD, Weights, weights_from_state

REPOSITORY = Path(__file__).resolve().parents[2]
STYLE_LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1"]
# The deepest layer of each block in torchvision's Sequential: the ReLU after the block's last convolution.
LAST_RELUS = {
    "vgg16": {"relu1_2": 3, "relu2_2": 8, "relu3_3": 15},
    "vgg19": {"relu1_2": 3, "relu2_2": 8, "relu3_4": 17},
}


@pytest.fixture(scope="module")
def features() -> Perceptual:
    return perceptual("random")


@pytest.fixture
def image() -> Tensor:
    return torch.rand(2, 3, 32, 48) * 2 - 1


def torchvision_features(architecture: str, until: int) -> nn.Sequential:
    """Build the first of torchvision's own layers, without paying for its classifier."""
    with torch.device("meta"):
        whole = {"vgg16": vgg16, "vgg19": vgg19}[architecture](weights=None).features
    first: nn.Sequential = copy.deepcopy(whole[: until + 1]).to_empty(device="cpu")
    for layer in first:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.normal_(layer.get_parameter("bias"))
    return first


@pytest.mark.parametrize("architecture", ["vgg16", "vgg19"])
def test_every_block_agrees_with_torchvisions_own_network(architecture: str, image: Tensor) -> None:
    reference = torchvision_features(architecture, max(LAST_RELUS[architecture].values()))
    ours = Perceptual(weights_from_state(reference.state_dict(), architecture, "a stand-in"))
    mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    normalised = ((image + 1) / 2 - mean) / std
    seen = ours(image, list(LAST_RELUS[architecture]))
    for layer, index in LAST_RELUS[architecture].items():
        torch.testing.assert_close(seen[layer], reference[: index + 1](normalised), rtol=1e-3, atol=1e-3)


def test_the_normalised_network_pads_by_reflection_after_its_color_layer(image: Tensor) -> None:
    weights = orthogonal_weights({"conv1_1": 4, "conv1_2": 5, "conv2_1": 6}, 0, "a stand-in")
    by_hand = nn.Sequential(
        nn.Conv2d(3, 3, 1), nn.ReflectionPad2d(1), nn.Conv2d(3, 4, 3), nn.ReLU(),
        nn.ReflectionPad2d(1), nn.Conv2d(4, 5, 3), nn.ReLU(),
        nn.MaxPool2d(2), nn.ReflectionPad2d(1), nn.Conv2d(5, 6, 3), nn.ReLU(),
    )  # fmt: skip
    layers = [layer for layer in by_hand if isinstance(layer, nn.Conv2d)]
    for layer, kernel in zip(layers, [weights.color, *weights.convolutions.values()], strict=True):
        layer.load_state_dict(kernel._asdict())
    seen = Perceptual(weights)(image, ["relu2_1"])
    torch.testing.assert_close(seen["relu2_1"], by_hand((image + 1) / 2))


def test_features_come_in_the_order_asked_for_with_halved_sides_by_block(features: Perceptual, image: Tensor) -> None:
    seen = features(image, ["relu3_1", "relu1_1", "relu2_1"])
    assert list(seen) == ["relu3_1", "relu1_1", "relu2_1"]
    assert [tuple(seen[layer].shape[2:]) for layer in seen] == [(8, 12), (32, 48), (16, 24)]
    assert all((activation >= 0).all() for activation in seen.values())


def test_features_are_computed_no_further_than_asked(features: Perceptual, image: Tensor) -> None:
    ran = []
    hooks = [
        layer.register_forward_hook(lambda *_, name=name: ran.append(name))
        for name, layer in features.convolutions.items()
    ]
    features(image, ["relu2_1"])
    for hook in hooks:
        hook.remove()
    assert ran == ["relu1_1", "relu1_2", "relu2_1"]


def test_no_layers_give_no_features(features: Perceptual, image: Tensor) -> None:
    assert features(image, []) == {}


def test_features_stay_frozen_when_the_method_around_them_trains(features: Perceptual, image: Tensor) -> None:
    around = nn.ModuleDict({"perceptual": features}).train()
    assert not any(module.training for module in around["perceptual"].modules())
    assert not any(parameter.requires_grad for parameter in features.parameters())
    image.requires_grad_()
    features(image, ["relu3_1"])["relu3_1"].sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in features.parameters())


def test_features_of_an_image_do_not_depend_on_its_batch(features: Perceptual, image: Tensor) -> None:
    together, alone = features(image, ["relu4_1"]), features(image[:1], ["relu4_1"])
    torch.testing.assert_close(together["relu4_1"][:1], alone["relu4_1"], rtol=1e-4, atol=1e-4)


def test_random_features_follow_their_seed(image: Tensor) -> None:
    first, again, other = (perceptual("random", seed=seed)(image, ["relu2_1"])["relu2_1"] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_random_kernels_are_orthogonal_up_to_their_gain() -> None:
    for layer in perceptual("random").convolutions.values():
        assert isinstance(layer, nn.Conv2d)
        rows = layer.weight.flatten(1)
        torch.testing.assert_close(rows @ rows.T, 2 * torch.eye(len(rows)), rtol=0, atol=1e-4)


def test_random_features_keep_the_size_of_activations(features: Perceptual) -> None:
    seen = features(torch.randn(2, 3, 64, 64).clamp(-1, 1), features.layers)
    sizes = [activation.square().mean().sqrt().item() for activation in seen.values()]
    assert 0.2 < min(sizes) <= max(sizes) < 10


@pytest.mark.parametrize("architecture", ["vgg16", "vgg19"])
def test_random_features_have_every_layer_of_their_architecture(architecture: str) -> None:
    layers = perceptual("random", architecture=architecture).layers
    assert [layer.replace("relu", "conv") for layer in layers] == list(convolutions(architecture))
    assert len(layers) == {"vgg16": 13, "vgg19": 16}[architecture]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "imagnet"}, "unknown perceptual weights 'imagnet'; did you mean 'imagenet'?"),
        ({"weights": "random", "architecture": "vgg91"}, "unknown VGG architecture 'vgg91'; did you mean 'vgg19'?"),
        ({"weights": "imagenet", "architecture": "vg16"}, "unknown VGG architecture 'vg16'; did you mean 'vgg16'?"),
        ({"architecture": "vgg16"}, "the embedded features are a vgg19"),
    ],
)
def test_an_unknown_choice_names_the_nearest(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(WeightsError) as raised:
        perceptual(**arguments)
    assert message in str(raised.value)


def test_a_layer_beyond_the_weights_names_the_last_they_have(image: Tensor) -> None:
    shallow = Perceptual(orthogonal_weights({"conv1_1": 4, "conv1_2": 4, "conv2_1": 4}, 0, "'prefix.pth'"))
    for ask in (shallow.require, lambda layers: shallow(image, layers)):
        with pytest.raises(WeightsError, match=r"'prefix.pth' ends at relu2_1 and has no relu4_1"):
            ask(["relu1_1", "relu4_1"])


@pytest.mark.parametrize("layer", ["relu3_9", "conv3_1", "relu31", ""])
def test_a_layer_that_no_vgg_has_is_refused(features: Perceptual, layer: str) -> None:
    with pytest.raises(WeightsError, match=f"unknown perceptual layer '{layer}'"):
        features.require([layer])


def test_an_image_too_small_for_a_layer_is_refused_with_the_size_it_needs(features: Perceptual) -> None:
    assert features(torch.zeros(1, 3, 16, 16), ["relu4_1"])["relu4_1"].shape[2:] == (2, 2)
    with pytest.raises(ShapeError, match=r"block 4 need images of at least 16 x 16 pixels, but got 15 x 40"):
        features(torch.zeros(1, 3, 15, 40), ["relu4_1"])


@pytest.mark.parametrize("name", ["embedded", "random"])
def test_configs_build_what_they_say(name: str, image: Tensor) -> None:
    with initialize_config_dir(str(REPOSITORY / "conf" / "perceptual"), version_base=None):
        built = instantiate(compose(name))
    assert set(built(image, STYLE_LAYERS)) == set(STYLE_LAYERS)


@pytest.mark.parametrize(("name", "architecture"), [("vgg16", "vgg16"), ("vgg19", "vgg19")])
def test_configs_of_imagenet_weights_take_torchvisions(
    name: str, architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def stub(architecture: str) -> Weights:
        asked.append(architecture)
        return orthogonal_weights({"conv1_1": 4}, 0, "stub")

    monkeypatch.setattr("ganstyle.nn.vgg.imagenet_weights", stub)
    with initialize_config_dir(str(REPOSITORY / "conf" / "perceptual"), version_base=None):
        assert instantiate(compose(name)).origin == "stub"
    assert asked == [architecture]


def test_embedded_features_are_in_the_package_scaled_and_small(shared_data: Path | None) -> None:
    embedded = perceptual()
    assert embedded.layers[0] == "relu1_1"
    assert embedded.layers[-1] == "relu4_1"
    if shared_data is None:
        return
    photograph = images.read(sorted((shared_data / "kodak").glob("*.png"))[4])[:256, :256]
    for layer, activation in embedded(images.to_tensor(photograph)[None], embedded.layers).items():
        assert 0.3 < activation.mean() < 3, layer
        assert (activation.amax(dim=(0, 2, 3)) > 0).float().mean() > 0.75, f"{layer} has dead channels"
