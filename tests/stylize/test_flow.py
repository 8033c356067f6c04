"""What a network paints in strips is what it paints at once, whatever the network, the sizes and the memory."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ganstyle.errors import ConfigError
from ganstyle.nn.blocks import PADDINGS
from ganstyle.nn.light import Light
from ganstyle.nn.norms import NORMS, STATISTICS
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet
from ganstyle.nn.upsample import UPSAMPLINGS
from ganstyle.stylize.flow import flow
from ganstyle.stylize.operations import Noisy
from ganstyle.stylize.sources import Given
from ganstyle.stylize.store import Ledger, Storeroom

SKIPS = dict.fromkeys(("color_skip", "image_skip", "soft_color"), True)
NETWORKS = {
    "unet": lambda **options: UNet(depth=3, channels=4, dropout=0.5, dropout_at_test=False, **options),
    "resnet": lambda **options: ResNet(blocks=2, channels=4, **options),
    "light": lambda **options: Light(blocks=2, channels=4, **SKIPS, **options),
}
ROW_BY_ROW, SOME_ROWS, AT_ONCE = 1, 40_000, 10**9


def shaken(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network in evaluation, with weights and running statistics that are not those of the start."""
    generator = torch.Generator().manual_seed(seed)
    for tensor in [*network.parameters(), *(buffer for buffer in network.buffers() if buffer.is_floating_point())]:
        if tensor.ndim <= 4:
            tensor.data += 0.1 * torch.rand(tensor.shape, generator=generator)
    return network.eval()


def in_strips(network: nn.Module, image: Tensor, strip: int, memory: int, **options: Any) -> Tensor:
    room = Storeroom(image.new_empty(0), strip, Ledger(memory))
    with torch.inference_mode():
        painted = flow(network, Given(image[0]), room, **options)
        return torch.cat([rows for _, rows in room.strips(painted)], dim=1)[None]


def photo(height: int, width: int, seed: int = 0) -> Tensor:
    coarse = torch.rand(1, 3, 5, 4, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(-1, 1)


def require_equal_to_the_whole(
    name: str, options: dict[str, str], sides: tuple[int, int], strip: int, memory: int
) -> None:
    network = shaken(NETWORKS[name](**options))
    image = photo(8 * sides[0], 8 * sides[1])
    with torch.inference_mode():
        whole = network(image)
    torch.testing.assert_close(in_strips(network, image, strip, memory), whole, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_strips_equal_the_whole(name: str, upsampling: str) -> None:
    require_equal_to_the_whole(name, {"upsampling": upsampling}, (5, 3), SOME_ROWS, 30_000)


@pytest.mark.slow
@settings(max_examples=150)
@given(
    name=st.sampled_from(sorted(NETWORKS)),
    options=st.fixed_dictionaries(
        {
            "norm": st.sampled_from(NORMS),
            "statistics_at_test": st.sampled_from(STATISTICS),
            "upsampling": st.sampled_from(UPSAMPLINGS),
            "padding": st.sampled_from(sorted(PADDINGS)),
        }
    ),
    sides=st.tuples(st.integers(2, 7), st.integers(2, 5)),
    strip=st.sampled_from([ROW_BY_ROW, SOME_ROWS, AT_ONCE]),
    memory=st.sampled_from([0, 30_000, 10**9]),
)
def test_strips_equal_the_whole_for_every_network(
    name: str, options: dict[str, str], sides: tuple[int, int], strip: int, memory: int
) -> None:
    require_equal_to_the_whole(name, options, sides, strip, memory)


@pytest.mark.slow
@pytest.mark.parametrize(
    "network", [UNet(channels=8, dropout_at_test=False), ResNet(channels=8), Light(color_skip=True)]
)
def test_strips_equal_the_whole_at_2048_pixels(network: nn.Module) -> None:
    network, image = network.eval(), photo(2048, 2048)
    with torch.inference_mode():
        whole = network(image)
    torch.testing.assert_close(in_strips(network, image, 40_000_000, 0), whole, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("style", [torch.tensor([1]), torch.tensor([[0.25, 0.75]])], ids=["number", "mixture"])
def test_a_style_is_that_of_the_whole(name: str, style: Tensor) -> None:
    network, image = shaken(NETWORKS[name](norm="instance", styles=2)), photo(32, 24)
    with torch.inference_mode():
        whole = network(image, style)
    painted = in_strips(network, image, SOME_ROWS, 0, style=style)
    torch.testing.assert_close(painted, whole, atol=1e-4, rtol=0)


def test_in_float64_nothing_but_rounding_is_left() -> None:
    network, image = shaken(NETWORKS["resnet"]()).double(), photo(40, 32).double()
    with torch.inference_mode():
        whole = network(image)
    torch.testing.assert_close(in_strips(network, image, SOME_ROWS, 0), whole, atol=1e-6, rtol=0)


def test_noise_is_drawn_by_rows_and_not_by_strips() -> None:
    network, image = shaken(UNet(depth=6, channels=4, dropout=0.5, norm="instance")), photo(64, 128)
    one, other = (in_strips(network, image, strip, 0, seed=3) for strip in (ROW_BY_ROW, AT_ONCE))
    torch.testing.assert_close(one, other, atol=1e-4, rtol=0)
    assert (in_strips(network, image, AT_ONCE, 0, seed=4) - other).abs().max() > 1e-3


def test_noise_sets_as_many_numbers_to_zero_as_it_should_and_keeps_the_mean() -> None:
    rows = Noisy(Given(torch.ones(8, 50, 40)), 0.25, seed=0, layer=0).read(0, 50)
    assert rows.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert rows.mean().item() == pytest.approx(1.0, abs=0.02)


def test_what_is_not_needed_any_more_is_given_back() -> None:
    ledger = Ledger(0)
    room = Storeroom(torch.empty(0), SOME_ROWS, ledger)
    with torch.inference_mode():
        painted = flow(shaken(NETWORKS["resnet"]()), Given(photo(64, 64)[0]), room)
    stem = 4 * 64 * 64 * 4
    assert ledger.most_on_disk <= 1.5 * stem
    assert ledger.on_disk == stem
    del painted
    assert ledger.on_disk == 0


def test_another_network_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be run in strips"):
        flow(nn.Identity(), Given(photo(8, 8)[0]), Storeroom(torch.empty(0), 1, Ledger(0)))
