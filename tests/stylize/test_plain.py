from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from ganstyle.stylize import plain
from ganstyle.stylize.photograph import Photograph
from ganstyle.stylize.plain import png

SIZES = [(1, 1), (1, 5), (7, 1), (40, 30)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [3, 4])
def test_others_read_the_very_pixels(
    size: tuple[int, int], kind: type[np.integer[Any]], channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "AT_ONCE", 1000)  # several strips, where there are rows for them
    values = np.random.default_rng(0).integers(0, np.iinfo(kind).max + 1, (*size, channels)).astype(kind)
    content = png(Photograph(values[..., :3], values[..., 3] if channels == 4 else None), None)
    read = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    order = cv2.COLOR_BGRA2RGBA if channels == 4 else cv2.COLOR_BGR2RGB
    assert np.array_equal(cv2.cvtColor(read, order), values)
    if kind == np.uint8:
        assert np.array_equal(np.asarray(Pillow.open(BytesIO(content))), values)


def test_a_photograph_is_as_small_as_pillows() -> None:
    """Of light that falls with frequency, as in photographs, and a little grain."""
    generator = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(240)[:, None], np.fft.rfftfreq(320))
    waves = np.fft.rfft2(generator.standard_normal((240, 320))) / np.maximum(frequency, 1 / 320)
    light = np.fft.irfft2(waves, (240, 320))
    grain = generator.standard_normal((240, 320, 3)) * 2
    scene = np.clip(128 + 40 * (light / light.std())[..., None] + grain, 0, 255).astype(np.uint8)
    theirs = BytesIO()
    Pillow.fromarray(scene).save(theirs, "PNG")
    assert len(png(Photograph(scene, None), None)) <= 1.03 * len(theirs.getvalue())
