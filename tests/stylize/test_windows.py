"""A network without statistics of the whole picture paints in windows what it paints at once."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ganstyle.nn.light import Light
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet
from ganstyle.nn.upsample import UPSAMPLINGS
from ganstyle.stylize.budget import plan
from ganstyle.stylize.engine import Engine
from ganstyle.stylize.memory import Plan, Window
from ganstyle.stylize.sources import Given
from ganstyle.stylize.windows import Windowed, reach, window

SKIPS = dict.fromkeys(("color_skip", "image_skip", "soft_color"), True)


def light(**options: Any) -> Light:
    """A network that looks no farther than some pixels; no weight is zero."""
    torch.manual_seed(0)
    network = Light(blocks=2, channels=4, **{"norm": "none", **SKIPS, **options})
    for tensor in network.parameters():
        if tensor.requires_grad:
            tensor.data += 0.1 * torch.rand_like(tensor)
    return network.eval()


def photo(height: int, width: int) -> Tensor:
    coarse = torch.rand(1, 3, 5, 4, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(-1, 1)[0]


def farthest(network: nn.Module) -> int:
    """How far from a block of the picture there are pixels on which it depends, by its gradient."""
    multiple = int(network.size_multiple)  # type: ignore[arg-type]
    for tensor in network.parameters():
        tensor.data.uniform_(0.005, 0.02)  # so that nothing cancels out and no unit is dead
    image = torch.ones(1, 3, 256, 256, dtype=torch.float64).requires_grad_()
    network.double()(image)[..., 128 : 128 + multiple, 128 : 128 + multiple].sum().backward()
    assert image.grad is not None
    rows = image.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    return max(128 - int(rows.min()), int(rows.max()) + 1 - 128 - multiple)


@pytest.mark.parametrize("upsampling", sorted(UPSAMPLINGS))
@pytest.mark.parametrize("skips", [SKIPS, dict.fromkeys(SKIPS, False)], ids=["skips", "none"])
def test_a_reach_is_what_the_gradient_says_or_little_more(upsampling: str, skips: dict[str, bool]) -> None:
    network = light(upsampling=upsampling, **skips)
    found = reach(network)
    assert found is not None
    assert 0 <= found - farthest(network) <= 2 * network.size_multiple


@pytest.mark.parametrize(
    "network",
    [
        lambda: light(norm="instance"),
        lambda: light(norm="batch"),
        lambda: light(norm="affine_instance", styles=2),
        lambda: ResNet(blocks=1, channels=2),
    ],
)
def test_statistics_of_the_whole_have_no_reach(network: Callable[[], nn.Module]) -> None:
    made = network().eval()
    assert reach(made, torch.tensor([0]) if getattr(made, "styles", 0) else None) is None


def test_running_statistics_do_not_look_at_the_picture() -> None:
    assert reach(light(norm="batch", statistics_at_test="running")) == reach(light())


@settings(max_examples=25)
@given(
    sides=st.tuples(st.integers(2, 40), st.integers(2, 40)),
    side=st.sampled_from([4, 12, 64]),
    cut=st.integers(1, 160),
    upsampling=st.sampled_from(sorted(UPSAMPLINGS)),
)
def test_windows_of_any_size_give_the_whole(sides: tuple[int, int], side: int, cut: int, upsampling: str) -> None:
    network = light(upsampling=upsampling)
    image = photo(4 * sides[0], 4 * sides[1])
    found = reach(network)
    assert found is not None
    windowed = Windowed(network, Given(image), Window(side, found), 1.0, 1.0)
    with torch.inference_mode():
        whole = network(image[None])[0]
        parts = [windowed.read(first, min(first + cut, len(whole[0]))) for first in range(0, len(whole[0]), cut)]
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-5, rtol=0)


@pytest.fixture
def plans() -> list[Plan]:
    return []


def test_little_memory_means_windows_and_the_same_picture(plans: list[Plan]) -> None:
    network, image = light(), photo(402, 601)

    def heard(found: Plan) -> Callable[[float], None]:
        plans.append(found)
        return lambda products: None

    rooms = [Engine(network, memory, heard).restyle(Given(image)) for memory in (12_000_000, 10**9)]
    narrow, whole = (torch.cat([strip for _, strip in each.room.strips(each.picture)], 1) for each in rooms)
    assert plans[0].window is not None
    assert plans[1].window is None
    assert not plans[1].in_strips
    assert narrow.shape == whole.shape == (3, 402, 601)
    torch.testing.assert_close(narrow, whole, atol=1e-5, rtol=0)


def test_windows_are_the_largest_that_fit_and_wide_enough_to_pay() -> None:
    assert window(60, 4, 10_000, 200.0, 1e9) == Window(1024, 60)
    smaller = window(61, 4, 10_000, 200.0, 1e8)
    assert smaller is not None
    assert smaller.side < 1024
    assert smaller.reach == 64
    assert window(60, 4, 10_000, 200.0, 1e6) is None
    assert window(500, 4, 10_000, 200.0, 1e12) == Window(1024, 500)
    assert window(520, 4, 10_000, 200.0, 1e12) is None


@pytest.mark.parametrize(
    "network",
    [light(norm="instance"), UNet(depth=8, channels=1, norm="none", dropout_at_test=False).eval()],
    ids=["statistics", "far"],
)
def test_networks_that_look_at_everything_go_in_strips(network: nn.Module) -> None:
    found = plan(network, 1024, 1024, 30_000_000)
    assert found.in_strips
    assert found.window is None


@pytest.mark.parametrize("norm", ["none", "instance"])
@pytest.mark.parametrize("memory", [4_000_000, 10**9])
def test_what_is_told_while_a_picture_is_painted_adds_up_to_what_was_planned(norm: str, memory: int) -> None:
    plans, told = [], []

    def heard(plan: Plan) -> Callable[[float], None]:
        plans.append(plan)
        return told.append

    painted = Engine(light(norm=norm), memory, heard).restyle(Given(photo(201, 301)))
    list(painted.room.strips(painted.picture))
    assert plans[0].in_strips == (memory < 10**9)
    assert sum(told) == pytest.approx(plans[0].products)
