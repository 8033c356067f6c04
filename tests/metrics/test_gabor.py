from math import log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ganstyle.metrics.gabor import FINEST, OCTAVES, ORIENTATIONS, QUIET, WAVELENGTH, gabor_energies


def waves(angle: float, wavelength: float, color: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Tensor:
    """A sinusoidal grating across the whole picture."""
    place, turn = torch.arange(128.0), torch.tensor(angle)
    phase = 2 * torch.pi / wavelength * (place * turn.cos() + place[:, None] * turn.sin())
    return 0.4 * phase.cos() * torch.tensor(color).reshape(1, 3, 1, 1)


def energies(images: Tensor) -> list[Tensor]:
    """Of light, red-green and yellow-blue: picture x octave x orientation, colors without the finest octave."""
    parts = gabor_energies(images).split([(OCTAVES - finest) * ORIENTATIONS for finest in FINEST], 1)
    return [part.reshape(len(images), -1, ORIENTATIONS) for part in parts]


@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
@pytest.mark.parametrize("octave", range(3))
def test_a_grating_speaks_in_its_own_octave_and_orientation(orientation: int, octave: int) -> None:
    found = energies(waves(orientation * torch.pi / ORIENTATIONS, WAVELENGTH * 2**octave))[0][0]
    assert divmod(int(found.argmax()), ORIENTATIONS) == (octave, orientation)


@pytest.mark.parametrize(
    ("color", "plane"), [((1.0, 1.0, 1.0), 0), ((1.0, -1.0, 0.0), 1), ((0.5, 0.5, -1.0), 2)], ids=["light", "rg", "yb"]
)
def test_a_grating_of_one_opponent_color_speaks_in_its_plane_alone(
    color: tuple[float, float, float], plane: int
) -> None:
    loudest = [float(part.max()) for part in energies(waves(0.0, 2 * WAVELENGTH, color))]
    assert loudest.index(max(loudest)) == plane
    assert all(loudest[other] == pytest.approx(log(QUIET), abs=0.1) for other in range(3) if other != plane)


def test_color_at_the_finest_scale_does_not_count() -> None:
    blocks = torch.randn(1, 3, 48, 48, generator=torch.Generator().manual_seed(2)) * 0.2
    halved = blocks.repeat_interleave(2, 2).repeat_interleave(2, 3)
    grain = torch.randn(1, 3, 48, 48, generator=torch.Generator().manual_seed(3)) * 0.2
    grain = grain - grain.mean(1, keepdim=True)  # color alone, of no light
    checkered = halved + torch.kron(grain, torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
    torch.testing.assert_close(gabor_energies(checkered), gabor_energies(halved), rtol=1e-3, atol=1e-3)


@settings(max_examples=20)
@given(level=st.floats(-1, 1))
def test_a_flat_picture_has_no_energy(level: float) -> None:
    found = gabor_energies(torch.full((1, 3, 96, 96), level))
    torch.testing.assert_close(found, torch.full_like(found, log(QUIET)), rtol=0, atol=1e-3)


def test_twice_the_contrast_is_four_times_the_energy() -> None:
    images = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(0)) * 4
    ratio = gabor_energies(2 * images) - gabor_energies(images)
    torch.testing.assert_close(ratio, torch.full_like(ratio, log(4)), rtol=1e-2, atol=1e-3)


def test_a_quarter_turn_swaps_orientations() -> None:
    images = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(1)) * 0.4
    turned = energies(torch.rot90(images, 1, (2, 3)))
    for after, before in zip(turned, energies(images), strict=True):
        torch.testing.assert_close(after, before.roll(ORIENTATIONS // 2, 2), rtol=1e-3, atol=0.05)
