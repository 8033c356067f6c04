import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ganstyle.errors import ShapeError
from ganstyle.nn.patchgan import MultiScale, PatchGAN, Pixel


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def receptive_field(critic: nn.Module, size: int) -> tuple[int, int]:
    """Measure, by gradient, how many rows and columns of the image the middle logit depends on."""
    image = torch.randn(1, 3, size, size, dtype=torch.float64, requires_grad=True)
    logits: Tensor = critic.double()(image)[0].logits
    middle = logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2]
    gradient = torch.autograd.grad(middle, image)[0].abs().sum((0, 1))
    rows, columns = gradient.sum(1).nonzero(), gradient.sum(0).nonzero()
    return int(rows.max() - rows.min() + 1), int(columns.max() - columns.min() + 1)


@pytest.mark.parametrize(
    ("critic", "count"),
    [
        (PatchGAN(), 2_764_737),
        (PatchGAN(in_channels=6, norm="batch"), 2_768_705),
        (Pixel(), 8_705),
        (MultiScale(scales=3), 3 * 2_764_737),
        (PatchGAN(spectral=True, norm="instance"), 2_764_737),
    ],
)
def test_parameter_counts_are_the_reference_implementations(critic: nn.Module, count: int) -> None:
    assert parameters(critic) == count


@pytest.mark.parametrize(
    ("critic", "side"),
    [
        (PatchGAN(channels=4, norm="none"), 70),
        (PatchGAN(channels=4, norm="none", layers=1), 16),
        (PatchGAN(channels=4, norm="none", layers=4), 142),
        (PatchGAN(channels=4, norm="none", spectral=True, stride_one=False), 46),
        (Pixel(channels=4, norm="none"), 1),
    ],
)
def test_the_receptive_field_is_the_papers(critic: nn.Module, side: int) -> None:
    """Isola et al. 2017, section 6.1.2, name 1, 16 and 70; one more layer sees 2 x 70 + 2; without stride one, 46."""
    assert receptive_field(critic, 2 * side + 64) == (side, side)


@given(
    height=st.integers(1, 60), width=st.integers(1, 60), layers=st.integers(1, 3), stride_one=st.booleans(),
    norm=st.sampled_from(["instance", "batch", "none"]), scales=st.integers(1, 2),
)  # fmt: skip
@settings(max_examples=60)
def test_a_size_is_judged_or_refused(
    height: int, width: int, layers: int, stride_one: bool, norm: str, scales: int
) -> None:
    critic = MultiScale(scales=scales, channels=2, layers=layers, norm=norm, stride_one=stride_one)
    coarsest = min(height, width) if scales == 1 else -(-min(height, width) // 2)
    if coarsest // 2**layers < (3 if stride_one else 2):
        with pytest.raises(ShapeError, match=f"but got {height} x {width}; use larger crops"):
            critic(torch.randn(1, 3, height, width))
        return
    judgements = critic(torch.randn(1, 3, height, width))
    assert len(judgements) == scales
    for judgement in judgements:
        assert min(judgement.logits.shape) >= 1
        assert torch.isfinite(judgement.logits).all()


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("stride_one", [True, False])
def test_the_least_size_has_exactly_one_judgement(layers: int, stride_one: bool) -> None:
    critic = PatchGAN(channels=2, layers=layers, stride_one=stride_one)
    assert critic(torch.randn(1, 3, critic.least_side, critic.least_side))[0].logits.shape == (1, 1, 1, 1)


def test_a_multi_scale_critic_takes_its_least_size_in_all_scales() -> None:
    critic = MultiScale(scales=3, channels=2)
    *_, coarsest = critic(torch.randn(1, 3, critic.least_side, critic.least_side))
    assert coarsest.logits.shape == (1, 1, 1, 1)


def test_refusals_name_the_size_and_the_way_out() -> None:
    with pytest.raises(ShapeError) as caught:
        PatchGAN(channels=2)(torch.zeros(1, 3, 16, 64))
    assert str(caught.value) == (
        "this PatchGAN takes images of at least 24 x 24 pixels, but got 16 x 64; "
        "use larger crops, or lower discriminator.layers."
    )
    with pytest.raises(ShapeError, match="this PatchGAN takes batch x 6 x height x width, but got 1 x 3 x 64 x 64"):
        PatchGAN(channels=2, in_channels=6)(torch.zeros(1, 3, 64, 64))


def test_a_pixel_judges_each_pixel_by_itself() -> None:
    critic = Pixel(channels=4, norm="none")
    image = torch.randn(1, 3, 5, 7)
    order = torch.randperm(35)
    shuffled = image.flatten(2)[..., order].view_as(image)
    judged, rejudged = critic(image)[0].logits, critic(shuffled)[0].logits
    torch.testing.assert_close(rejudged.flatten(), judged.flatten()[order])


def test_features_are_what_the_layers_see_before_the_logits() -> None:
    critic = PatchGAN(channels=2)
    (judgement,) = critic(torch.randn(1, 3, 64, 64))
    assert [tuple(feature.shape[1:]) for feature in judgement.features] == [
        (2, 32, 32), (4, 16, 16), (8, 8, 8), (16, 7, 7),
    ]  # fmt: skip
    torch.testing.assert_close(critic.logits(judgement.features[-1]), judgement.logits)


def test_each_scale_sees_half_of_the_one_before() -> None:
    critic = MultiScale(scales=3, channels=2, layers=1)
    judgements = critic(torch.randn(2, 3, 64, 48))
    assert [tuple(judgement.features[0].shape[2:]) for judgement in judgements] == [(32, 24), (16, 12), (8, 6)]
    weights = {parameter.data_ptr() for parameter in critic.parameters()}
    assert len(weights) == 3 * len(list(PatchGAN(channels=2, layers=1).parameters()))


def test_a_constant_image_looks_the_same_in_every_scale() -> None:
    """Averaging does not darken the border, as it would if the padding counted."""
    critic = MultiScale(scales=2, channels=2, layers=1, norm="none")
    seen: list[Tensor] = []
    critic.critics[1].register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    critic(torch.full((1, 3, 32, 32), 0.5))
    torch.testing.assert_close(seen[0], torch.full((1, 3, 16, 16), 0.5))


def test_spectral_norm_bounds_every_layer() -> None:
    torch.manual_seed(0)
    critic = PatchGAN(channels=8, norm="none", spectral=True)
    for _ in range(100):
        critic(torch.randn(1, 3, 32, 32))
    convolutions = [layer for layer in critic.eval().modules() if isinstance(layer, nn.Conv2d)]
    largest = [torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() for layer in convolutions]
    assert len(largest) == 5
    assert largest == pytest.approx([1.0] * 5, abs=0.02)


def test_looking_in_evaluation_changes_no_spectral_norm() -> None:
    critic = PatchGAN(channels=2, layers=1, norm="none", spectral=True).eval()
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    critic(torch.randn(1, 3, 32, 32))
    torch.testing.assert_close(critic.state_dict(), before, rtol=0, atol=0)


def test_real_and_fake_can_be_judged_before_one_backward() -> None:
    """Power iteration changes its vectors in place; the first graph must not mind."""
    critic = PatchGAN(channels=2, layers=1, norm="none", spectral=True)
    real, fake = (critic(torch.randn(1, 3, 32, 32))[0].logits for _ in range(2))
    (real.mean() - fake.mean()).backward()
    assert all(parameter.grad is not None for parameter in critic.parameters())


def test_gradients_of_gradients_exist_for_the_penalties() -> None:
    for spectral in (True, False):
        critic = PatchGAN(channels=2, layers=1, norm="none" if spectral else "instance", spectral=spectral).double()
        image = torch.randn(1, 3, 32, 32, dtype=torch.float64, requires_grad=True)
        slope = torch.autograd.grad(critic(image)[0].logits.sum(), image, create_graph=True)[0]
        slope.square().sum().backward()
        assert critic.layers[0][0].parametrizations.weight.original.grad.any() if spectral else True


@pytest.mark.parametrize("critic", [PatchGAN(channels=2), Pixel(channels=2), MultiScale(channels=2, layers=1)])
def test_critics_judge_in_bf16_and_float64(critic: nn.Module) -> None:
    image = torch.randn(1, 3, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        low = critic(image)[0].logits
    high = critic.double()(image.double())[0].logits
    assert high.dtype == torch.float64
    assert (low - high).abs().mean() < 0.05
