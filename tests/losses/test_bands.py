import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganstyle.errors import ConfigError
from ganstyle.losses.bands import OCTAVES, QUIET, band_energies
from ganstyle.losses.perceptual import numbers_loss

SEED = st.integers(0, 1000)
LIGHT, RED_GREEN, YELLOW_BLUE = (slice(OCTAVES * k, OCTAVES * (k + 1)) for k in range(3))


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


def waves(length: int, color: tuple[float, float, float], side: int = 96) -> Tensor:
    line = torch.sin(torch.arange(side, dtype=torch.float64) * (2 * math.pi / length))
    return torch.tensor(color, dtype=torch.float64)[None, :, None, None] * line.expand(1, 1, side, side) / 2


@given(red=st.floats(-1, 1), blue=st.floats(-1, 1))
def test_a_flat_color_has_the_energy_of_one_step(red: float, blue: float) -> None:
    flat = torch.tensor([red, 0.0, blue])[None, :, None, None].expand(1, 3, 32, 40)
    torch.testing.assert_close(band_energies(flat), torch.full((1, 3 * OCTAVES), math.log(QUIET)), atol=1e-4, rtol=0)


@given(seed=SEED, factor=st.floats(0.5, 1))
def test_contrast_moves_all_bands_alike(seed: int, factor: float) -> None:
    image = noise(seed, 2, 3, 64, 64)
    loud = band_energies(factor * image).exp() - QUIET
    torch.testing.assert_close(loud, factor**2 * (band_energies(image).exp() - QUIET))


@given(seed=SEED)
def test_gray_pictures_hold_light_alone(seed: int) -> None:
    energies = band_energies(noise(seed, 2, 1, 64, 64).expand(-1, 3, -1, -1))
    assert (energies[:, LIGHT] > math.log(QUIET) + 1).all()
    assert energies[:, OCTAVES:].sub(math.log(QUIET)).abs().max() < 1e-6


@pytest.mark.parametrize(("length", "octave"), [(3, 0), (6, 1), (12, 2), (24, 3)])
def test_waves_are_loudest_in_their_octave(length: int, octave: int) -> None:
    energies = band_energies(waves(length, (1.0, 1.0, 1.0)))[0, LIGHT]
    assert int(energies.argmax()) == octave


@pytest.mark.parametrize(
    ("color", "band"), [((1.0, -1.0, 0.0), RED_GREEN), ((1.0, 1.0, -2.0), YELLOW_BLUE), ((1.0, 1.0, 1.0), LIGHT)]
)
def test_each_color_is_heard_in_its_own_bands(color: tuple[float, float, float], band: slice) -> None:
    energies = band_energies(waves(8, color))[0] - math.log(QUIET)
    others = [place for place in range(3 * OCTAVES) if place not in range(band.start, band.stop)]
    assert energies[band].max() > 3
    assert energies[others].abs().max() < 1e-6


@given(seed=SEED)
def test_mirrored_and_turned_images_sound_alike(seed: int) -> None:
    image = noise(seed, 1, 3, 64, 64)
    for other in (image.flip(3), image.mT, -image):
        torch.testing.assert_close(band_energies(other), band_energies(image))


@pytest.mark.parametrize(("side", "octaves"), [(1, 1), (3, 1), (4, 2), (16, 4), (32, 5), (200, 5)])
def test_small_images_have_fewer_octaves(side: int, octaves: int) -> None:
    assert band_energies(noise(0, 2, 3, side, 2 * side)).shape == (2, 3 * octaves)


@given(seed=SEED)
def test_the_distance_of_sets_agrees_with_loops(seed: int) -> None:
    results, targets, earlier = noise(seed, 3, 4), noise(seed + 1, 2, 4), noise(seed + 2, 5, 4)
    everything = torch.cat([targets, earlier])

    def mean(pairs: list[tuple[Tensor, Tensor]]) -> float:
        return sum(float((a - b).norm()) for a, b in pairs) / len(pairs)

    between = mean([(a, b) for a in results for b in everything])
    own = mean([(a, b) for i, a in enumerate(results) for j, b in enumerate(results) if i != j])
    others = mean([(a, b) for i, a in enumerate(targets) for j, b in enumerate(everything) if i != j])
    found = numbers_loss(results, targets, earlier=earlier).item()
    assert found == pytest.approx(2 * between - own - others, abs=1e-4)


def test_a_step_along_the_slope_brings_sets_together() -> None:
    targets = noise(0, 64, 3)
    results = (noise(1, 64, 3) + 1).requires_grad_()
    far = numbers_loss(results, targets)
    far.backward()
    assert results.grad is not None
    assert numbers_loss(results.detach() - 30 * results.grad, targets) < 0.8 * far.detach()


def test_equal_distributions_are_at_no_distance_on_average() -> None:
    found = [numbers_loss(noise(k, 8, 3), noise(k + 1000, 8, 3)).item() for k in range(1000)]
    assert abs(sum(found) / len(found)) < 0.015


@given(seed=SEED)
def test_other_targets_are_squared_distances_to_one_of_the_batch(seed: int) -> None:
    results, targets = noise(seed, 3, 4), noise(seed + 1, 3, 4)
    squares = (results[:, None] - targets[None]).square().sum(2)
    wanted = {
        "each": squares.diagonal().mean(),
        "nearest": squares.min(1).values.mean(),
        "batch_mean": (results - targets.mean(0)).square().sum(1).mean(),
    }
    for target, value in wanted.items():
        torch.testing.assert_close(numbers_loss(results, targets, target=target), value)
    with pytest.raises(ConfigError, match="style target 'farthest'"):
        numbers_loss(results, targets, target="farthest")
