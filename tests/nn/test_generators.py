"""What every generator promises."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ganstyle.errors import ConfigError, ShapeError
from ganstyle.nn.generator import require_image, require_style
from ganstyle.nn.light import Light
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet
from ganstyle.nn.upsample import UPSAMPLINGS

Build = Callable[..., nn.Module]


def small_unet(**choices: object) -> UNet:
    return UNet(**{"depth": 3, "channels": 4, "dropout_at_test": False, **choices})  # type: ignore[arg-type]


def small_resnet(**choices: object) -> ResNet:
    return ResNet(**{"blocks": 2, "channels": 4, **choices})  # type: ignore[arg-type]


def small_light(**choices: object) -> Light:
    return Light(**{"blocks": 2, "channels": 4, **choices})  # type: ignore[arg-type]


GENERATORS = pytest.mark.parametrize("build", [small_unet, small_resnet, small_light])


def image(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(*shape, dtype=dtype) * 2 - 1


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("build", "count"),
    [
        (lambda: UNet(), 54_413_955),
        (lambda: UNet(norm="instance"), 54_409_603),
        (lambda: UNet(depth=7), 41_828_995),
        (lambda: ResNet(), 11_378_179),
        (lambda: ResNet(blocks=6), 7_837_699),
    ],
)
def test_parameter_counts_are_the_reference_implementations(build: Build, count: int) -> None:
    with torch.device("meta"):
        assert parameters(build()) == count


@pytest.mark.parametrize("upsampling", ["nearest", "bilinear"])
def test_the_light_generator_has_015_to_025_million_parameters(upsampling: str) -> None:
    assert 150_000 <= parameters(Light(upsampling=upsampling)) <= 250_000


def test_a_color_skip_knows_how_dark_a_picture_is_and_lets_no_stroke_through() -> None:
    light, dark = image(1, 3, 32, 32) * 0.2 + 0.5, image(1, 3, 32, 32) * 0.2 - 0.5
    blind, seeing = small_light(), small_light(color_skip=True)
    with torch.no_grad():
        assert blind(light).mean() - blind(dark).mean() < 0.1
        assert seeing(light).mean() - seeing(dark).mean() > 0.7
        assert seeing.color_skip is not None
        stripes = torch.tensor([0.3, 0.3, -0.3, -0.3]).repeat(8).expand(1, 3, 32, 32)
        assert seeing.color_skip(0.5 + stripes)[..., 8:-8].sub(0.5).abs().max() < 1e-6  # but at the border


def test_an_image_skip_lets_all_but_the_finest_through_and_colors_are_not_added_twice() -> None:
    network = small_light(color_skip=True, image_skip=True)
    wide = torch.tensor([0.5] * 8 + [-0.5] * 8).repeat(2).expand(1, 3, 32, 32)
    fine = torch.tensor([0.3, -0.3]).repeat(16).expand(1, 3, 32, 32)
    with torch.no_grad():
        shown = sum((skip(wide + fine) for skip in network.skips), torch.zeros_like(wide))
    inside = shown.unflatten(3, (4, 8))[..., 3:5]
    torch.testing.assert_close(inside, wide.unflatten(3, (4, 8))[..., 3:5])


def test_soft_colors_leave_the_light_alone_and_take_colored_grain_away() -> None:
    network = small_light(soft_color=True)
    light = image(1, 1, 32, 32).expand(-1, 3, -1, -1)
    grain = torch.tensor([1.0, -1.0]).repeat(16).expand(32, 32) * torch.tensor([1.0, -1.0, 0.0])[:, None, None]
    regions = (
        torch.tensor([0.5, -0.5]).repeat_interleave(16).expand(32, 32) * torch.tensor([1.0, 0.0, -1.0])[:, None, None]
    )
    with torch.no_grad():
        torch.testing.assert_close(network.soft_color(light + grain), light, atol=2e-2, rtol=0, check_stride=False)
        inside = network.soft_color(light + regions)[..., 2:14]
    torch.testing.assert_close(inside, (light + regions)[..., 2:14])
    assert not any(parameter.requires_grad for parameter in network.soft_color.parameters())


@GENERATORS
@given(data=st.data())
@settings(max_examples=25)
def test_a_size_is_kept_or_refused(build: Build, data: st.DataObject) -> None:
    """Images of sides 1 to 40: those that fit come back in their size, the others raise in one sentence."""
    side = st.integers(1, 40) | st.sampled_from([4, 8, 12, 16, 24, 32])
    height, width = data.draw(side), data.draw(side)
    upsampling = data.draw(st.sampled_from(UPSAMPLINGS))
    padding = data.draw(st.sampled_from(["zero", "reflect"]))
    norm = data.draw(st.sampled_from(["batch", "instance", "affine_instance", "none"]))
    network = build(upsampling=upsampling, padding=padding, norm=norm)
    multiple = 8 if build is small_unet else 4
    least = 16 if build is small_unet and padding == "reflect" and upsampling != "transpose" else 8
    if height % multiple or width % multiple or min(height, width) < least:
        with pytest.raises(ShapeError, match=f"but got {height} x {width}; resize or pad the image"):
            network(image(1, 3, height, width))
        return
    out = network(image(1, 3, height, width))
    assert network.size_multiple == multiple
    assert out.shape == (1, 3, height, width)
    assert torch.isfinite(out).all()
    assert out.abs().max() <= 1


def test_the_message_names_what_fits_what_came_and_what_to_do() -> None:
    with torch.device("meta"), pytest.raises(ShapeError) as caught:
        UNet()(torch.zeros(1, 3, 300, 300))
    assert str(caught.value) == (
        "this U-Net takes images whose sides are multiples of 256, but got 300 x 300; "
        "resize or pad the image, or lower generator.depth."
    )


def test_an_image_of_other_channels_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"^this ResNet takes batch x 3 x height x width, but got 1 x 4 x 8 x 8\.$"):
        require_image("ResNet", torch.zeros(1, 4, 8, 8), advice="")
    with pytest.raises(ShapeError, match="but got 3 x 8 x 8"):
        require_image("ResNet", torch.zeros(3, 8, 8), advice="")


def test_the_reference_unet_works_at_its_smallest_size_whatever_the_norm() -> None:
    """The bottleneck is 1 x 1 there, where nothing can be normalized, and nothing is."""
    for norm in ("batch", "instance"):
        out = UNet(channels=2, norm=norm)(image(1, 3, 256, 256))
        assert out.std() > 0


def test_a_resized_and_reflected_bottleneck_of_one_pixel_is_refused() -> None:
    """It would stay constant through convolution and norm: a dead level, silently."""
    with pytest.raises(ShapeError, match=r"at least 16 x 16 pixels, but got 8 x 8"):
        small_unet(padding="reflect", upsampling="nearest")(image(1, 3, 8, 8))


@GENERATORS
def test_every_parameter_moves(build: Build) -> None:
    network = build(dropout=0.0) if build is not small_light else build()
    out = network(image(2, 3, 32, 32))
    (out * torch.randn_like(out)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    moved = [name for name, parameter in network.named_parameters() if parameter.grad.abs().max() > 0]
    assert len(moved) == len(list(network.parameters()))


@GENERATORS
def test_precision_goes_from_bf16_to_float64_and_images_stay_at_least_fp32(build: Build) -> None:
    network, source = build().eval(), image(1, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        low = network(source)
    high = network.double()(source.double())
    assert (low.dtype, high.dtype) == (torch.float32, torch.float64)
    assert (low - high).abs().mean() < 0.05


@GENERATORS
def test_the_memory_format_changes_nothing_but_speed(build: Build) -> None:
    network, source = build().double().eval(), image(2, 3, 16, 16, dtype=torch.float64)
    last = torch.channels_last
    torch.testing.assert_close(network.to(memory_format=last)(source.contiguous(memory_format=last)), network(source))


@GENERATORS
def test_dropout_and_statistics_at_test_do_not_depend_on_train(build: Build) -> None:
    """Instance norm, and no dropout: what is trained is what is shipped."""
    network, source = build(norm="instance", **({} if build is small_light else {"dropout": 0.0})), image(1, 3, 16, 16)
    torch.testing.assert_close(network.train()(source), network.eval()(source))


def test_pix2pix_draws_at_test_what_it_draws_in_training() -> None:
    network, source = UNet(depth=6, channels=4), image(1, 3, 64, 64)
    torch.manual_seed(1)
    trained = network.train()(source)
    torch.manual_seed(1)
    tested = network.eval()(source)
    torch.testing.assert_close(tested, trained)
    assert not torch.equal(network(source), tested)


def test_running_statistics_and_silent_dropout_are_deterministic_at_test() -> None:
    network = UNet(depth=6, channels=4, dropout_at_test=False, statistics_at_test="running")
    sources = image(2, 3, 64, 64)
    network.train()(sources)
    both = network.eval()(sources)
    torch.testing.assert_close(network(sources[:1]), both[:1])
    torch.testing.assert_close(network(sources), both)


def test_the_reference_unet_drops_in_three_levels() -> None:
    with torch.device("meta"):
        network = UNet()
    dropping = [n for n, stage in enumerate(network.decoder) if any("Dropout" in type(x).__name__ for x in stage)]
    assert dropping == [1, 2, 3]


@GENERATORS
def test_features_have_the_declared_names_and_channels(build: Build) -> None:
    network = build()
    names = list(network.feature_channels)
    features = network.features(image(1, 3, 32, 32), names)
    assert {name: feature.shape[1] for name, feature in features.items()} == network.feature_channels
    sides = [feature.shape[2] for feature in features.values()]
    assert sides == sorted(sides, reverse=True)


@GENERATORS
def test_features_stop_at_the_deepest_tap(build: Build) -> None:
    network, source, seen = build(), image(1, 3, 32, 32), []
    for name, stage in network.encoder.items():
        stage.register_forward_hook(lambda *_, name=name: seen.append(name))
    first, second, *_ = network.encoder
    features = network.features(source, [second, "image"])
    assert seen == [first, second]
    assert list(features) == [second, "image"]
    assert features["image"] is source
    assert network.features(source, []) == {}


@GENERATORS
def test_features_are_not_changed_by_going_deeper(build: Build) -> None:
    network, source = build().eval(), image(1, 3, 32, 32)
    names = list(network.feature_channels)
    together = network.features(source, names)
    for name in names:
        torch.testing.assert_close(network.features(source, [name])[name], together[name])


@GENERATORS
def test_an_unknown_tap_is_refused_with_the_nearest_name(build: Build) -> None:
    with pytest.raises(ConfigError, match=r"^unknown tap 'dwn1'; did you mean 'down1'\?$"):
        build().features(image(1, 3, 16, 16), ["dwn1"])


@GENERATORS
def test_every_style_is_its_own(build: Build) -> None:
    network = build(norm="instance", styles=3, **({} if build is small_light else {"dropout": 0.0})).double().eval()
    source = image(1, 3, 16, 16, dtype=torch.float64).expand(2, 3, 16, 16)
    styled = network(source, torch.tensor([0, 2]))
    assert not torch.allclose(styled[0], styled[1])
    torch.testing.assert_close(network(source, torch.eye(3)[[0, 2]]), styled)
    deepest = list(network.feature_channels)[-1]
    assert network.features(source, [deepest], torch.tensor([0, 2]))[deepest].shape[0] == 2


@GENERATORS
def test_a_style_is_given_exactly_where_there_are_styles(build: Build) -> None:
    with pytest.raises(ShapeError, match="was given a style; leave it out"):
        build(norm="instance")(image(1, 3, 16, 16), torch.tensor([0]))
    with pytest.raises(ShapeError, match=r"has 3 styles and takes .* but got no style; give one for each image"):
        build(norm="instance", styles=3)(image(1, 3, 16, 16))


def test_a_style_for_each_image_is_asked_for() -> None:
    require_style("Light", 3, torch.tensor([0, 1]), 2)
    require_style("Light", 3, torch.rand(2, 3), 2)
    for style in (torch.tensor([0]), torch.rand(2, 4), torch.rand(3), torch.tensor(1)):
        with pytest.raises(ShapeError, match="for 2 images; give one for each image"):
            require_style("Light", 3, style, 2)
    with pytest.raises(ShapeError, match="mixtures are floating-point"):
        require_style("Light", 3, torch.zeros(2, 3, dtype=torch.int64), 2)


def test_a_unet_sees_its_levels_again() -> None:
    """A pixel that the bottleneck cannot carry comes through the skips: the output depends on it locally."""
    network = small_unet(norm="none", dropout=0.0).double()
    source = image(1, 3, 32, 32, dtype=torch.float64).requires_grad_()
    gradient = torch.autograd.grad(network(source)[0, 0, 16, 16], source)[0].abs().sum(1)[0]
    assert gradient[14:19, 14:19].mean() > 5 * gradient.mean()
