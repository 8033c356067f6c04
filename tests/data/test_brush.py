import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganstyle.data.brush import CELL, PAINTS, mix, paint


def test_every_color_on_the_palette_becomes_nearly_its_paint() -> None:
    assert np.abs(mix(PAINTS[:, 0]) - PAINTS[:, 1]).max() < 0.08


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_a_mixture_lies_between_the_paints(color: list[float]) -> None:
    mixed = mix(np.array(color))
    assert (mixed >= PAINTS[:, 1].min(axis=0)).all()
    assert (mixed <= PAINTS[:, 1].max(axis=0)).all()


@pytest.mark.parametrize("wide", [True, False])
def test_strokes_follow_the_edges(wide: bool) -> None:
    steps = np.tile(np.repeat([40, 200], 12), 2).astype(np.uint8)
    picture = np.broadcast_to(steps[:, None, None] if wide else steps[None, :, None], (48, 48, 3))
    painted = paint(np.ascontiguousarray(picture)).astype(float)[8:-8, 8:-8]
    along, across = np.abs(np.diff(painted, axis=1)).mean(), np.abs(np.diff(painted, axis=0)).mean()
    assert (along < 0.5 * across) == wide


def test_shifting_the_picture_by_a_cell_shifts_the_painting() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    shifted = np.roll(picture, CELL, axis=1)
    inner = slice(24, 40)
    assert (paint(shifted)[inner, 24 + CELL : 40 + CELL] == paint(picture)[inner, inner]).all()


def test_a_plain_surface_shows_strokes() -> None:
    painted = paint(np.full((32, 32, 3), 180, np.uint8)).astype(float)
    assert painted.std(axis=(0, 1)).min() > 3
