from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganstyle.errors import DataError
from ganstyle.images import write
from ganstyle.metrics.protocol import ENOUGH
from ganstyle.metrics.sets import (
    Sources,
    as_bytes,
    as_images,
    read_references,
    read_sources,
    references_of,
    square,
    stacked,
    windows,
)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(height=st.integers(4, 40), width=st.integers(4, 40), size=st.integers(4, 24))
def test_every_picture_is_judged_as_a_square_of_one_size(height: int, width: int, size: int) -> None:
    assert square(noise(height, width), size).shape == (size, size, 3)


def test_a_square_is_the_middle_of_the_picture_and_a_fitting_one_is_itself() -> None:
    picture = noise(8, 14)
    assert (square(picture, 8) == picture[:, 3:11]).all()
    assert (square(picture[:, :8], 8) == picture[:, :8]).all()


def test_shrinking_averages_areas() -> None:
    picture = np.repeat(np.repeat(noise(4, 4), 2, axis=0), 2, axis=1)
    assert (square(picture, 4) == picture[::2, ::2]).all()


def test_bytes_survive_the_way_to_images_and_back() -> None:
    everything = torch.arange(256, dtype=torch.uint8).repeat(3).reshape(1, 3, 16, 16)
    assert torch.equal(as_bytes(as_images(everything)), everything)


@given(height=st.integers(8, 50), width=st.integers(8, 50))
def test_windows_of_a_large_picture_reach_every_border(height: int, width: int) -> None:
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    picture[0, 0], picture[-1, -1], picture[0, -1], picture[-1, 0] = 255, 255, 255, 255
    found = windows(picture, 8, scales=(1,))
    lit = sum(int((window == 255).all(axis=2).sum()) for window in found)
    assert all(window.shape == (8, 8, 3) for window in found)
    if height >= 12 and width >= 12:  # at least two windows each way
        assert lit == 4


def test_a_large_painting_is_cut_at_every_scale_that_it_reaches() -> None:
    assert len(windows(noise(32, 32), 8)) == 16 + 4 + 1 + 1  # scales 1, 2, 3, 4 in 4, 2, 1 and 1 windows each way
    assert len(windows(noise(16, 16), 8)) == 4 + 1
    assert len(windows(noise(5, 9), 8)) == 1


def test_a_window_of_scale_two_is_shrunk_to_the_size_judged() -> None:
    picture = np.repeat(np.repeat(noise(8, 8), 2, axis=0), 2, axis=1)
    assert any((window == picture[::2, ::2]).all() for window in windows(picture, 8))


def test_few_paintings_are_referenced_by_windows_and_many_as_they_are() -> None:
    few = references_of("few", [noise(16, 16, seed) for seed in range(3)], 8)
    many = references_of("many", [noise(16, 16, seed) for seed in range(ENOUGH)], 8)
    assert (few.paintings, len(few.crops)) == (3, 15)
    assert few.painting.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert (many.paintings, len(many.crops)) == (ENOUGH, ENOUGH)


def test_the_hash_of_references_is_of_their_pixels_and_paintings() -> None:
    pictures = [noise(16, 16, seed) for seed in range(2)]
    one, same = references_of("one", pictures, 8), references_of("other name", pictures, 8)
    assert one.sha256 == same.sha256
    assert one.sha256 != references_of("one", pictures[::-1], 8).sha256
    assert one.sha256 != type(one)("one", one.crops, one.painting * 0).sha256


def test_files_are_read_as_they_are_judged(tmp_path: Path) -> None:
    for number in range(2):
        write(noise(12, 10, number), tmp_path / f"{number}.png")
    paths = sorted(tmp_path.iterdir())
    sources, references = read_sources("photos", paths, 8), read_references("paintings", paths, 8)
    assert sources.stems == ("0", "1")
    assert sources.pictures.shape == (2, 3, 8, 8)
    assert torch.equal(sources.pictures[1], stacked([square(noise(12, 10, 1), 8)])[0])
    assert references.paintings == 2


def test_photographs_of_one_name_are_refused(tmp_path: Path) -> None:
    write(noise(8, 8), tmp_path / "a.png")
    write(noise(8, 8), tmp_path / "a.jpg")
    with pytest.raises(DataError, match="two photographs are called a"):
        read_sources("photos", sorted(tmp_path.iterdir()), 8)


def test_some_photographs_keep_their_answers() -> None:
    pictures = stacked([noise(4, 4, seed) for seed in range(3)])
    kept = Sources("toy", ("a", "b", "c"), pictures, pictures.flip(0)).only([2, 0])
    assert kept.stems == ("c", "a")
    assert torch.equal(kept.pictures[0], pictures[2])
    assert kept.truth is not None
    assert torch.equal(kept.truth[0], pictures[0])
