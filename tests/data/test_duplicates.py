from io import BytesIO

import numpy as np
import pytest
from data.pictures import drawing
from PIL import Image

from ganstyle.data import duplicates
from ganstyle.data.duplicates import alike, look


def recoded(pixels: np.ndarray) -> np.ndarray:
    """Shrink a little and compress hard."""
    file = BytesIO()
    Image.fromarray(pixels).resize((90, 77)).save(file, "JPEG", quality=40)
    return np.asarray(Image.open(file))


def test_a_picture_that_was_encoded_anew_is_recognized() -> None:
    pictures = [drawing(seed, 96, 112) for seed in range(30)]
    looks = [look(pixels) for pixels in [*pictures, *map(recoded, pictures)]]
    assert set(alike(looks)) == {(number, number + 30) for number in range(30)}


def test_plain_pictures_are_alike_only_in_one_color() -> None:
    colors = [(200, 0, 0), (0, 0, 200), (201, 1, 0)]
    looks = [look(np.full((20, 20, 3), color, np.uint8)) for color in colors]
    assert list(alike(looks)) == [(0, 2)]


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_nothing_is_lost_between_chunks(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(duplicates, "CHUNK", chunk)
    looks = [look(drawing(seed % 4)) for seed in range(8)]
    assert list(alike(looks)) == [(0, 4), (1, 5), (2, 6), (3, 7)]


def test_nobody_is_alone_alike() -> None:
    assert list(alike([])) == []
    assert list(alike([look(drawing(0))])) == []
