"""Networks of the public CycleGAN, pix2pix and CUT code compute the same after they were imported, and come back."""

from collections.abc import Mapping
from itertools import product

import pytest
import torch
from interop.references import patchgan, pixel, resnet, saved, trained, unet
from torch import Tensor, nn

from ganstyle.errors import ArtifactError, WeightsError
from ganstyle.interop.cyclegan import recognize
from ganstyle.interop.outward import caveats, to_pytorch_cyclegan
from ganstyle.nn.authors import AuthorsResNet, BlurredPatchGAN
from ganstyle.nn.light import Light
from ganstyle.nn.patchgan import PatchGAN, Pixel
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet

THEIRS = ("instance", "batch", "batch without statistics")
GENERATORS = {
    f"resnet {blocks} {norm} {drops=} {down=} {up=}": (
        resnet,
        (blocks, 4, norm),
        {"drops": drops, "down": down, "up": up},
    )
    for blocks, norm, drops, down, up in product((6, 9), THEIRS, (False, True), (False, True), (False, True))
    if blocks == 6 or not drops
} | {f"unet {2**depth} {norm}": (unet, (depth, 4, norm), {}) for depth, norm in product((3, 7, 8), THEIRS)}
DISCRIMINATORS = {
    f"patchgan {inputs} {layers} {norm} {down=}": (patchgan, (inputs, 4, layers, norm), {"down": down})
    for inputs, layers, norm, down in product((3, 6), (1, 3), THEIRS, (False, True))
} | {f"pixel {norm}": (pixel, (6, 4, norm), {}) for norm in THEIRS}
REFERENCES = GENERATORS | DISCRIMINATORS


def reference(name: str) -> nn.Module:
    make, arguments, options = REFERENCES[name]
    return trained(make(*arguments, **options))


def picture(name: str) -> Tensor:
    side = 256 if name.startswith(("unet 256", "unet 128")) else 32
    shape = (1, 6 if name.startswith(("patchgan 6", "pixel")) else 3, side, side + 32 * (side == 32))
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 2 - 1


def result(network: nn.Module, image: Tensor) -> Tensor:
    with torch.inference_mode():
        answer = network(image)
    return answer if isinstance(answer, Tensor) else answer[0].logits


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("name", REFERENCES)
def test_an_imported_network_computes_what_the_reference_does(name: str) -> None:
    theirs, image = reference(name), picture(name)
    ours, _ = recognize(saved(theirs))
    wanted = result(theirs, image)
    assert wanted.std() > 1e-3
    torch.testing.assert_close(result(ours.eval(), image), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", [name for name in REFERENCES if "without" not in name])
def test_what_was_imported_goes_back_bit_for_bit(name: str) -> None:
    theirs = saved(reference(name))
    back = to_pytorch_cyclegan(recognize(theirs)[0])
    filters = {key for key in theirs if key.endswith("filt")}
    assert same(
        {k: v for k, v in back.items() if k not in filters}, {k: v for k, v in theirs.items() if k not in filters}
    )
    assert filters == {key for key in back if key.endswith("filt")}
    for key in filters:
        torch.testing.assert_close(back[key], theirs[key])


OURS = {
    "resnet": AuthorsResNet(blocks=2, channels=4),
    "resnet, blurred, batch": AuthorsResNet(blocks=2, channels=4, norm="batch", blurred_down=True, blurred_up=True),
    "resnet, dropout": AuthorsResNet(blocks=2, channels=4, dropout=0.5, blurred_up=True),
    "resnet, running": AuthorsResNet(blocks=2, channels=4, norm="batch", statistics_at_test="running"),
    "unet": UNet(depth=5, channels=4, dropout=0.0),
    "unet, instance": UNet(depth=4, channels=4, norm="instance", dropout=0.0),
    "patchgan": PatchGAN(in_channels=6, channels=4, norm="batch"),
    "patchgan, blurred": BlurredPatchGAN(channels=4, layers=2),
    "pixel": Pixel(channels=4, norm="batch", statistics_at_test="running"),
}


@pytest.mark.parametrize("name", OURS)
def test_our_network_comes_back_from_their_names_bit_for_bit(name: str) -> None:
    network = OURS[name]
    trained(network)
    again, _ = recognize(to_pytorch_cyclegan(network))
    assert type(again) is type(network)
    assert same(again.state_dict(), network.state_dict())
    arguments = dict(network.arguments) | {"dropout_at_test": False} if "unet" in name else network.arguments
    assert {**again.arguments, **({"dropout_at_test": False} if "unet" in name else {})} == arguments


def test_a_resnet_of_ours_goes_out_with_a_word_about_its_border() -> None:
    network = trained(ResNet(blocks=2, channels=4))
    assert [sentence for sentence in caveats(network) if "pads the two halvings" in sentence]
    again, _ = recognize(to_pytorch_cyclegan(network))
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    assert same(again.state_dict(), network.state_dict())
    assert (result(again.eval(), image) - result(network, image)).abs().max() > 1e-3


def test_batch_norm_without_statistics_is_given_those_of_a_fresh_one() -> None:
    network = UNet(depth=3, channels=4)
    theirs = unet(3, 4, "batch")
    theirs.load_state_dict(to_pytorch_cyclegan(network))
    assert [sentence for sentence in caveats(network) if "--eval" in sentence]
    assert caveats(AuthorsResNet(blocks=1, channels=4)) == ()


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (Light(blocks=1, channels=4), "no network like Light"),
        (UNet(depth=3, channels=4, upsampling="nearest"), "upsampling 'nearest', only with 'transpose'"),
        (UNet(depth=3, channels=4, dropout=0.3), "dropout 0.3"),
        (UNet(depth=3, channels=4, padding="reflect"), "padding 'reflect', only with 'zero'"),
        (ResNet(blocks=1, channels=4, padding="zero"), "padding 'zero', only with 'reflect'"),
        (ResNet(blocks=1, channels=4, norm="affine_instance"), "norm 'affine_instance'"),
        (ResNet(blocks=1, channels=4, styles=2), "styles 2"),
        (PatchGAN(channels=4, spectral=True, norm="none"), "norm 'none'"),
        (PatchGAN(channels=4, stride_one=False), "stride_one False"),
    ],
)
def test_what_their_code_cannot_hold_does_not_go_out(network: nn.Module, words: str) -> None:
    with pytest.raises(ArtifactError, match=words):
        to_pytorch_cyclegan(network)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "resnet 9 instance drops=False down=True up=True",
            "ResNet generator of 9 blocks, 4 channels, instance norm, anti-aliased down and up",
        ),
        (
            "resnet 6 batch drops=True down=False up=False",
            "ResNet generator of 6 blocks, 4 channels, batch norm with running statistics, dropout in training",
        ),
        (
            "unet 128 batch without statistics",
            "U-Net-128 generator, 4 channels, batch norm with statistics of each batch, dropout, of which the tensors "
            "do not tell, off",
        ),
        (
            "patchgan 6 3 instance down=True",
            "PatchGAN discriminator of 3 halvings, 4 channels, instance norm, anti-aliased down, sees 6 channels",
        ),
        (
            "pixel batch",
            "pixel discriminator, 4 channels, batch norm with running statistics, sees 6 channels",
        ),
    ],
)
def test_a_network_is_named_in_one_line(name: str, words: str) -> None:
    assert recognize(saved(reference(name)))[1] == words


@pytest.mark.parametrize("name", ["resnet 6 instance drops=False down=False up=False", "unet 8 instance"])
def test_statistics_that_instance_norm_once_kept_are_dropped(name: str) -> None:
    theirs = reference(name)
    tensors = saved(theirs)
    norms = [key for key, layer in theirs.named_modules() if isinstance(layer, nn.InstanceNorm2d)]
    for key in norms:
        tensors |= {f"{key}.running_mean": torch.ones(4), f"{key}.running_var": torch.ones(4)}
    ours, words = recognize(tensors)
    assert norms
    assert "unused statistics dropped" in words
    torch.testing.assert_close(result(ours.eval(), picture(name)), result(theirs, picture(name)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["resnet 6 batch drops=False down=False up=False", "unet 8 batch"])
def test_batch_norm_may_use_the_statistics_of_the_batch(name: str) -> None:
    theirs, image = reference(name), picture(name)
    ours, words = recognize(saved(theirs), statistics="batch")
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.train()
    assert "statistics of each batch" in words
    torch.testing.assert_close(result(ours.eval(), image), result(theirs, image), atol=1e-5, rtol=1e-5)


def test_dropout_at_test_is_a_choice() -> None:
    image = torch.rand(1, 3, 64, 64)
    for name in ("unet 128 instance", "resnet 6 instance drops=True down=False up=False"):
        network = recognize(saved(reference(name)), dropout=True)[0].eval()
        pixels = image.repeat(1, 1, 2, 2) if name.startswith("unet") else image
        assert not torch.equal(result(network, pixels), result(network, pixels))
    for name in ("resnet 6 instance drops=False down=False up=False", "pixel batch", "patchgan 3 3 batch down=False"):
        with pytest.raises(WeightsError, match="dropout was asked for"):
            recognize(saved(reference(name)), dropout=True)


def spoiled(name: str, *lost: str, **added: Tensor) -> dict[str, Tensor]:
    tensors = {key: tensor for key, tensor in saved(reference(name)).items() if key not in lost}
    return tensors | {key.replace("__", "."): tensor for key, tensor in added.items()}


PLAIN, BATCH = "resnet 6 instance drops=False down=False up=False", "resnet 6 batch drops=False down=False up=False"
CUT = "resnet 6 instance drops=False down=True up=True"
NOTHING = torch.zeros(1)


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (spoiled(PLAIN, "model.12.conv_block.1.weight"), r"lacks model\.12\.conv_block\.1\.weight\.$"),
        (spoiled(PLAIN, model__99__weight=NOTHING, other=NOTHING), r"no place for model\.99\.weight, other\.$"),
        (spoiled(PLAIN, model__4__bias=NOTHING), r"other shapes are in model\.4\.bias \(1 and not 8\)"),
        (spoiled(BATCH, "model.2.weight"), r"neither model\.1\.bias nor model\.2\.weight"),
        (spoiled(PLAIN, model__2__weight=NOTHING), r"hold model\.1\.bias and model\.2\.weight"),
        (spoiled(CUT, model__7__filt=torch.ones(8, 1, 3, 3)), r"model\.7\.filt is not the binomial blur"),
        (spoiled(PLAIN, model__1__weight=torch.zeros(4, 1, 7, 7)), r"takes 1 channels \(model\.1\.weight\)"),
        (spoiled("unet 8 batch", "model.model.3.weight"), r"lack the kernel model\.model\.3\.weight"),
        (spoiled("unet 8 batch", "model.model.1.model.3.model.1.weight"), "have 2 levels"),
        (spoiled("pixel batch", "net.5.weight"), r"lacks net\.5\.weight"),
        ({"model.0.weight": torch.zeros(4, 3, 4, 4)}, "hold 1 convolutions"),
        ({"model.1.weight": torch.zeros(4, 3, 7, 7)}, "none is of a residual block"),
        ({"mlp_0.0.weight": torch.zeros(4, 3)}, "projection heads of CUT's netF"),
        ({"a": NOTHING, "b": NOTHING}, "no network that ganstyle knows: a, b"),
    ],
)
def test_what_does_not_match_is_refused_with_the_tensors_named(tensors: dict[str, Tensor], words: str) -> None:
    with pytest.raises(WeightsError, match=words):
        recognize(tensors)


def test_statistics_that_are_not_there_cannot_be_asked_for() -> None:
    for name, words in (
        (PLAIN, "instance norm, which uses none"),
        ("unet 8 batch without statistics", "file has none"),
    ):
        with pytest.raises(WeightsError, match=words):
            recognize(saved(reference(name)), statistics="running")


def test_a_filter_that_was_not_saved_is_not_missed() -> None:
    tensors = {key: tensor for key, tensor in saved(reference(CUT)).items() if not key.endswith("filt")}
    image = picture(CUT)
    torch.testing.assert_close(
        result(recognize(tensors)[0].eval(), image), result(reference(CUT), image), atol=1e-5, rtol=1e-5
    )
