from types import MappingProxyType

import pytest
import torch
from torch import nn

from ganstyle.errors import ConfigError
from ganstyle.nn.arguments import plain, records_arguments, require_count
from ganstyle.nn.light import Light
from ganstyle.nn.patchgan import MultiScale, PatchGAN, Pixel
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet


@records_arguments
class Toy(nn.Module):
    def __init__(self, width: int, *, names: object = (), ratio: float = 0.5) -> None:
        super().__init__()
        self.layer = nn.Linear(width, 1)


NETWORKS = [
    UNet(depth=3, channels=4, dropout=0.0),
    UNet(depth=2, channels=4, norm="instance", upsampling="nearest", styles=2, dropout=0.0),
    ResNet(blocks=1, channels=4),
    ResNet(blocks=1, channels=4, norm="batch", statistics_at_test="running", upsampling="pixel_shuffle"),
    Light(blocks=1, channels=4),
    Light(blocks=1, channels=4, styles=2),
    PatchGAN(layers=1, channels=4, norm="none", spectral=True),
    PatchGAN(layers=2, channels=4, stride_one=False),
    Pixel(channels=4),
    MultiScale(scales=2, layers=1, channels=4),
]


def test_defaults_and_positions_are_recorded_by_name() -> None:
    assert Toy(3, ratio=0.25).arguments == {"width": 3, "names": [], "ratio": 0.25}


def test_recorded_values_are_plain() -> None:
    given = MappingProxyType({"layers": ("relu1_1", ["relu2_1"]), "seed": None})
    assert plain(given, "x") == {"layers": ["relu1_1", ["relu2_1"]], "seed": None}


def test_a_value_that_json_cannot_hold_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"Toy\.names\[0\] is a Tensor"):
        Toy(3, names=[torch.zeros(1)])


def test_a_count_too_low_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"^generator\.blocks is 0, but must be at least 1\.$"):
        require_count("generator.blocks", 0)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: type(network).__name__)
def test_a_network_rebuilt_from_its_arguments_and_weights_is_the_same(network: nn.Module) -> None:
    rebuilt = type(network)(**network.arguments)
    rebuilt.load_state_dict(network.state_dict())
    assert rebuilt.arguments == network.arguments
    image = torch.rand(2, 3, 32, 32) * 2 - 1
    style = (torch.tensor([0, 1]),) if network.arguments.get("styles") else ()
    once, again = network.eval()(image, *style), rebuilt.eval()(image, *style)
    torch.testing.assert_close(again, once, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: UNet(depth=1), "generator.depth is 1"),
        (lambda: UNet(channels=0), "generator.channels is 0"),
        (lambda: ResNet(blocks=0), "generator.blocks is 0"),
        (lambda: Light(channels=-1), "generator.channels is -1"),
        (lambda: PatchGAN(layers=0), "discriminator.layers is 0"),
        (lambda: MultiScale(scales=0), "discriminator.scales is 0"),
        (lambda: Pixel(channels=0), "discriminator.channels is 0"),
        (lambda: ResNet(norm="instanse"), "unknown norm 'instanse'; did you mean 'instance'?"),
        (lambda: ResNet(padding="reflct"), "unknown padding 'reflct'; did you mean 'reflect'?"),
        (lambda: Light(upsampling="neerest"), "unknown upsampling 'neerest'; did you mean 'nearest'?"),
        (lambda: UNet(statistics_at_test="runing"), "unknown statistics_at_test 'runing'; did you mean 'running'?"),
        (lambda: UNet(dropout=1.0), "dropout is 1.0"),
        (lambda: UNet(styles=2), "styles need instance norm, but norm is 'batch'"),
        (lambda: ResNet(styles=-1), "styles is -1"),
    ],
)
def test_an_argument_that_builds_no_network_is_refused_in_words(build: object, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build()  # type: ignore[operator]
    assert message in str(caught.value)
