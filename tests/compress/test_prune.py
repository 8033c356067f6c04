"""Which channels go, and that the others compute what they did."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ganstyle import artifact
from ganstyle.backends.likeness import drawn
from ganstyle.compress.costs import sizes_of
from ganstyle.compress.errors import CompressError
from ganstyle.compress.groups import groups_of
from ganstyle.compress.prune import importance, narrowed, pruned
from ganstyle.compress.shorten import shorten
from ganstyle.compress.size import size_of
from ganstyle.nn.light import Light
from ganstyle.nn.resnet import ResNet


def student(**choices: object) -> Light:
    torch.manual_seed(1)
    skips = {"color_skip": True, "image_skip": True, "soft_color": True}
    network = Light(**{"blocks": 2, "channels": 8, **skips, **choices})  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network.eval().requires_grad_(False)


def photo(seed: int = 0) -> Tensor:
    return torch.from_numpy(drawn(32, 40, seed))


def closed(network: Light, gone: dict[str, list[int]]) -> None:
    """Shut channels at their gates, so that they carry nothing."""
    for name, channels in gone.items():
        for gate in groups_of(network)[name].gates:
            norm = network.get_submodule(gate)
            norm.weight[channels] = 0  # type: ignore[index]
            norm.bias[channels] = 0  # type: ignore[index]


def opened(network: Light, gone: dict[str, list[int]]) -> dict[str, Tensor]:
    """An importance by which exactly these channels are the least."""
    found = {name: torch.ones(width) for name, width in network.widths.items()}
    for name, channels in gone.items():
        found[name][channels] = 0
    return found


@pytest.mark.parametrize("norm", ["affine_instance", "none"])
def test_without_channels_that_carry_nothing_a_network_paints_the_same(norm: str) -> None:
    network = student(norm=norm)
    gone = {"stem": [0, 5], "down1": [3], "trunk": [1, 8, 30], "up1": [2], "up2": [0], "block1": [4, 5], "block2": [9]}
    closed(network, gone)
    widths = {name: width - len(gone[name]) for name, width in network.widths.items()}
    smaller = pruned(network, opened(network, gone), widths)
    assert smaller.arguments["widths"] == widths
    torch.testing.assert_close(smaller(photo()), network(photo()), atol=1e-5, rtol=0)
    assert not any(parameter.requires_grad for parameter in smaller.parameters())


@pytest.mark.parametrize("norm", ["affine_instance", "none"])
def test_closed_channels_are_the_least_important_ones(norm: str) -> None:
    network, gone = student(norm=norm), {"down1": [3, 7], "trunk": [0, 31], "block2": [9]}
    closed(network, gone)
    found = importance(network, ResNet(blocks=1, channels=4).eval(), [photo(0), photo(1)])
    assert found.keys() == network.widths.keys()
    for name, channels in gone.items():
        assert found[name].topk(len(channels), largest=False).indices.sort().values.tolist() == channels
        assert found[name].count_nonzero() == network.widths[name] - len(channels)


@pytest.mark.parametrize(
    ("norm", "gate"), [("affine_instance", "encoder.block1.layers.1"), ("none", "encoder.block1.layers.0.1")]
)
def test_importance_is_the_squared_first_order_change_when_a_gate_closes(norm: str, gate: str) -> None:
    network, teacher = student(norm=norm).double(), ResNet(blocks=1, channels=4).eval().double()
    picture = photo().double()
    found = importance(network, teacher, [picture])["block1"]
    layer = network.get_submodule(gate)
    wanted = teacher(picture).detach()

    def distance_at(opening: float, channel: int) -> float:
        kept = layer.weight.clone(), layer.bias.clone()
        layer.weight[channel] *= opening  # type: ignore[index, operator]
        layer.bias[channel] *= opening  # type: ignore[index, operator]
        away = float((network(picture) - wanted).abs().mean())
        layer.weight.copy_(kept[0])  # type: ignore[operator]
        layer.bias.copy_(kept[1])  # type: ignore[operator]
        return away

    for channel in (0, 11):
        slope = (distance_at(1 + 1e-5, channel) - distance_at(1 - 1e-5, channel)) / 2e-5
        assert float(found[channel]) == pytest.approx(slope**2, rel=1e-3)


@pytest.mark.parametrize("norm", ["affine_instance", "none"])
def test_sizes_are_those_of_the_network_that_is_built(norm: str) -> None:
    network = student(norm=norm)
    sizes = sizes_of(network)
    for changed in ({}, {"stem": 4, "trunk": 20, "block2": 12, "up1": 8}, {"down1": 5, "up2": 40, "block1": 1}):
        widths = dict(network.widths) | changed
        found, built = sizes(widths), size_of(student(norm=norm, widths=widths))
        assert found.parameters == built.parameters
        assert found.multiply_adds == pytest.approx(built.multiply_adds, rel=1e-9)


def test_enough_goes_and_it_goes_where_it_matters_least() -> None:
    network = student()
    matters = {name: torch.ones(width) for name, width in network.widths.items()}
    matters["block2"] *= 1e-9
    few = narrowed(network, matters, 0.02)
    assert few["block2"] < 32
    assert few | {"block2": 32} == network.widths
    many = narrowed(network, matters, 0.5)
    assert sizes_of(network)(many).multiply_adds <= 0.5 * sizes_of(network)(network.widths).multiply_adds
    assert all(many[name] >= max(4, width // 4) for name, width in network.widths.items())


def test_more_than_there_is_leaves_a_quarter_of_every_width() -> None:
    network = student()
    widths = narrowed(network, {name: torch.ones(width) for name, width in network.widths.items()}, 0.999)
    assert widths == {name: max(4, width // 4) for name, width in network.widths.items()}


@pytest.mark.parametrize("choice", [{"norm": "instance"}, {"upsampling": "bilinear"}, {"styles": 2}])
def test_a_light_that_cannot_be_cut_is_refused(choice: dict[str, object]) -> None:
    with pytest.raises(CompressError, match="leave out pruning"):
        groups_of(student(**choice))


def test_a_shortened_artifact_keeps_its_card_and_costs_less(tmp_path: Path) -> None:
    artifact.save(student(), tmp_path / "student", styles=("ink",), training={"images_seen": 7}, licence="MIT")
    artifact.save(ResNet(blocks=1, channels=4), tmp_path / "teacher")
    pictures = [drawn(32, 32, 0)]
    widths = shorten(tmp_path / "student", tmp_path / "teacher", tmp_path / "short", pictures, 0.3)
    short = artifact.load(tmp_path / "short")
    assert short.card.arguments["widths"] == widths
    assert (short.card.styles, short.card.licence) == (("ink",), "MIT")
    student_sha256 = artifact.read_card(tmp_path / "student").weights_sha256
    assert short.card.training == {"images_seen": 7, "prune": 0.3, "student_sha256": student_sha256}
    assert size_of(short.network).multiply_adds < 0.72 * size_of(student()).multiply_adds
    with pytest.raises(CompressError, match="is a resnet"):
        shorten(tmp_path / "teacher", tmp_path / "teacher", tmp_path / "no", pictures, 0.3)


def test_any_width_of_a_light_is_built_and_unknown_ones_are_refused() -> None:
    network = Light(blocks=1, channels=4, widths={"stem": 5, "trunk": 7, "block1": 3, "up1": 6, "up2": 2, "down1": 9})
    shapes = {tuple(layer.weight.shape[:2]) for layer in network.modules() if isinstance(layer, nn.Conv2d)}
    assert shapes == {(5, 3), (9, 5), (7, 9), (7, 1), (3, 7), (3, 1), (7, 3), (6, 7), (2, 6), (3, 2)}
    assert network.feature_channels == {"image": 3, "stem": 5, "down1": 9, "down2": 7, "block1": 7}
    with pytest.raises(Exception, match=r"unknown layer in generator\.widths 'blok1'; did you mean 'block1'\?"):
        Light(blocks=1, channels=4, widths={"blok1": 3})
    with pytest.raises(Exception, match=r"generator\.widths\.stem is 0"):
        Light(blocks=1, channels=4, widths={"stem": 0})
