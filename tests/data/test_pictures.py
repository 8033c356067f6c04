import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from data.pictures import drawing, fill
from hypothesis import given
from hypothesis import strategies as st

from ganstyle.data.folders import pictures_in
from ganstyle.data.pictures import Pictures, by_short_side
from ganstyle.errors import ImageError

AS_THEY_ARE = partial(by_short_side, short=None)


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 600), st.integers(1, 300))
def test_the_short_side_is_met_and_the_proportions_kept(height: int, width: int, short: int, least: int) -> None:
    tall, wide = by_short_side(height, width, short=short, least=least)
    assert min(tall, wide) == max(short, least)
    assert abs(max(tall, wide) - min(tall, wide) * max(height, width) / min(height, width)) <= 0.5


def test_without_a_size_only_small_pictures_change() -> None:
    assert by_short_side(70, 50, short=None, least=40) == (70, 50)
    assert by_short_side(70, 20, short=None, least=40) == (140, 40)


@pytest.mark.parametrize("budget", [0, 7_000, 1 << 20])
def test_memory_changes_nothing_but_speed(tmp_path: Path, budget: int) -> None:
    paths = pictures_in(fill(tmp_path, 3))
    pictures = Pictures(paths, AS_THEY_ARE, budget)
    for number in (2, 0, 1, 0, 2):
        assert (pictures[number] == drawing(number)).all()
    assert sum(pixels.nbytes for pixels in pictures._kept.values()) <= budget


def test_what_fits_is_decoded_once(tmp_path: Path) -> None:
    paths = pictures_in(fill(tmp_path, 3))
    pictures = Pictures(paths, AS_THEY_ARE)
    paths[1].unlink()
    assert (pictures[1] == drawing(1)).all()


def test_kept_pixels_cannot_be_written_to(tmp_path: Path) -> None:
    pictures = Pictures(pictures_in(fill(tmp_path, 1)), AS_THEY_ARE)
    with pytest.raises(ValueError, match="read-only"):
        pictures[0][:] = 0


def test_a_copy_for_another_process_leaves_the_pixels_behind(tmp_path: Path) -> None:
    pictures = Pictures(pictures_in(fill(tmp_path, 3)), AS_THEY_ARE)
    pickled = pickle.dumps(pictures)
    assert len(pickled) < pictures[0].nbytes
    assert (pickle.loads(pickled)[2] == pictures[2]).all()


def test_pictures_are_brought_to_size(tmp_path: Path) -> None:
    pictures = Pictures(pictures_in(fill(tmp_path, 1, height=60, width=40)), partial(by_short_side, short=20))
    assert pictures[0].shape == (30, 20, 3)
    assert np.abs(pictures[0].astype(float).mean() - drawing(0, 60, 40).mean()) < 1


def test_a_damaged_file_in_a_collection_that_fits_is_found_at_once(tmp_path: Path) -> None:
    cut = pictures_in(fill(tmp_path, 3))[1]
    cut.write_bytes(cut.read_bytes()[:-500])
    with pytest.raises(ImageError, match=r"001\.png is damaged"):
        Pictures(pictures_in(tmp_path), AS_THEY_ARE)


def test_what_is_no_picture_is_found_at_once_however_large_the_collection(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    (tmp_path / "000.png").write_text("no picture")
    with pytest.raises(ImageError, match=r"000\.png is not a picture"):
        Pictures(pictures_in(tmp_path), AS_THEY_ARE, budget=0)
