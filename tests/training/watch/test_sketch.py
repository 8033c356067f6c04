"""Sketches tell pictures apart; a spectrum and distances tell crowds apart."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganstyle.training.watch.album import Album
from ganstyle.training.watch.sketch import compared, effective_rank, filters, nearest, sketch, spread


def pictures(count: int, seed: int = 0, side: int = 40) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_a_sketch_is_always_the_same_and_takes_no_random_number() -> None:
    before = torch.get_rng_state()
    first = sketch(pictures(2))
    filters.cache_clear()
    assert torch.equal(first, sketch(pictures(2)))
    assert torch.equal(before, torch.get_rng_state())
    assert first.shape == (2, 304)


def test_what_is_no_number_counts_as_zero() -> None:
    broken = torch.full((1, 3, 32, 32), float("nan"))
    assert torch.equal(sketch(broken), sketch(torch.zeros(1, 3, 32, 32)))


def test_a_constant_picture_has_its_color_and_no_energy() -> None:
    color = torch.tensor([0.5, -0.25, 0.0])
    numbers = sketch(color[None, :, None, None].expand(1, 3, 64, 48))[0]
    torch.testing.assert_close(numbers[:48], color.repeat_interleave(16))
    assert numbers[48:].abs().max() < 1e-5


@given(count=st.integers(2, 12), width=st.integers(2, 12))
def test_the_effective_rank_of_equal_directions_is_their_number(count: int, width: int) -> None:
    """Centered identity: count - 1 equal eigenvalues."""
    sketches = torch.eye(count, count + width)
    assert effective_rank(sketches).item() == pytest.approx(count - 1, rel=1e-6)


def test_pictures_along_a_line_have_rank_one_and_equal_ones_have_no_direction() -> None:
    line = torch.arange(5.0)[:, None] * torch.rand(1, 7)
    assert effective_rank(line).item() == pytest.approx(1.0, abs=1e-3)
    assert effective_rank(torch.ones(5, 7)).item() == pytest.approx(1.0)


def test_the_spread_is_the_median_step_to_the_next() -> None:
    steps = torch.tensor([0.0, 1.0, 3.0, 103.0])[:, None]
    assert spread(steps).item() == 2.0
    assert spread(steps[:1]).item() == 0.0


def test_batches_of_one_picture_have_no_spread_though_the_generator_moves() -> None:
    moving = torch.arange(6.0).repeat_interleave(4)[:, None] * torch.ones(1, 3)
    assert spread(moving).item() == 0.0


def test_the_nearest_is_the_least_of_all_distances() -> None:
    here, there = sketch(pictures(3)), sketch(pictures(5, seed=1))
    by_hand = [min((a - b).double().norm().item() for b in there) for a in here]
    assert nearest(here, there).tolist() == pytest.approx(by_hand, rel=1e-6)


def test_a_picture_seen_twice_is_not_distinct() -> None:
    seen = sketch(pictures(4))
    assert compared(torch.cat([seen, seen[:1]]))["distinct"].item() == pytest.approx(3 / 5)
    assert compared(seen)["distinct"].item() == 1.0


@given(batches=st.lists(st.integers(1, 5), min_size=1, max_size=12), capacity=st.integers(1, 9))
def test_an_album_keeps_the_last_pictures_in_order(batches: list[int], capacity: int) -> None:
    album, every = Album(capacity), torch.arange(float(sum(batches)))[:, None]
    for page in every.split(batches):
        album.add(page)
    kept = album.sketches()
    assert kept is not None
    assert torch.equal(kept, every[-capacity:])
    again = Album(capacity)
    again.load_state_dict(album.state_dict(), torch.device("cpu"))
    assert torch.equal(again.sketches(), kept)  # type: ignore[arg-type]


def test_an_empty_album_has_no_sketches() -> None:
    assert Album(3).sketches() is None
