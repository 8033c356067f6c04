from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from data.pictures import drawing
from PIL import Image, ImageOps

from ganstyle.data.scenes import scene
from ganstyle.data.sized import sized
from ganstyle.decode import ORIENTATION, decode, upright
from ganstyle.errors import ImageError
from ganstyle.images import Pixels

BOUND = 34.0
"""Decibels."""


def jpeg(pixels: Pixels, orientation: int = 1, mode: str = "RGB", **options: object) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    file = BytesIO()
    told = {"exif": exif} if orientation != 1 else {}
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **{"quality": 90, **told, **options})  # type: ignore[arg-type]
    return file.getvalue()


def photograph(number: int, height: int, width: int) -> Pixels:
    """A drawn landscape with fine grain, as photographs of 500 to 1000 pixels have it."""
    large = cv2.resize(scene(number, 96), (width, height), interpolation=cv2.INTER_CUBIC)
    coarse = cv2.resize(np.random.default_rng(number).normal(0, 16, (height // 2, width // 2)), (width, height))
    return np.clip(large + coarse[..., None], 0, 255).astype(np.uint8)


def decibels(one: Pixels, other: Pixels) -> float:
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def whole(content: bytes, height: int, width: int) -> Pixels:
    """Decoded whole by Pillow and shrunk by area."""
    with Image.open(BytesIO(content)) as picture:
        return cv2.resize(np.array(picture.convert("RGB")), (width, height), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize(
    ("height", "width", "goal"), [(667, 999, 150), (1150, 1200, 286), (999, 703, 83), (515, 777, 64)]
)
def test_a_reduced_decode_is_within_the_bound_of_a_whole_one(height: int, width: int, goal: int) -> None:
    for number in range(2):
        content = jpeg(photograph(number, height, width))
        size = round(height * goal / min(height, width)), round(width * goal / min(height, width))
        assert decode(content, "it", size).pixels.shape[0] < height
        assert decibels(sized(content, "it", *size), whole(content, *size)) >= BOUND


@pytest.mark.parametrize("times", [1.02, 1.17, 1.39, 1.41, 1.8, 2.0, 2.33, 3.0, 3.3, 4.0, 6.5])
def test_real_photographs_are_within_the_bound(shared_data: Path | None, times: float) -> None:
    if shared_data is None:
        return
    photographs = [*sorted((shared_data / "kodak").glob("*.png"))[::3], *_jpegs(shared_data / "bsds500" / "test")[::4]]
    for path in photographs:
        with Image.open(path) as picture:
            content = path.read_bytes() if path.suffix == ".jpg" else jpeg(np.array(picture.convert("RGB")))
            tall, wide = round(picture.height / times), round(picture.width / times)
        assert decibels(sized(content, path.name, tall, wide), whole(content, tall, wide)) >= BOUND, path.name


def _jpegs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jpg"))


@pytest.mark.parametrize("times", [1.02, 1.17, 1.39, 1.41, 1.8, 2.0, 2.33, 2.9])
def test_a_whole_decode_is_within_the_bound_of_area_however_little_it_shrinks(times: float) -> None:
    for height, width in ((333, 500), (667, 801)):
        content = jpeg(photograph(height, height, width))
        size = round(height / times), round(width / times)
        assert decode(content, "it", size).pixels.shape[0] == height
        assert decibels(sized(content, "it", *size), whole(content, *size)) >= BOUND


def test_a_jpeg_of_its_size_is_decoded_as_it_is() -> None:
    content = jpeg(photograph(1, 256, 256))
    with Image.open(BytesIO(content)) as picture:
        assert decibels(sized(content, "it", 256, 256), np.array(picture)) > 60


def test_halving_an_odd_side_shifts_nothing() -> None:
    picture = np.zeros((667, 801, 3), np.uint8)
    picture[640:] = 255
    content = jpeg(picture, quality=100)
    assert decode(content, "it", (160, 192)).pixels.shape[0] == 334
    white = sized(content, "it", 160, 192).astype(float).mean(axis=(1, 2)).sum() / 255
    assert white == pytest.approx(27 * 160 / 667, abs=0.06)  # 6.48 rows; of 334 rows all would be moved to 6.71


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright_as_pillow_turns_it(orientation: int) -> None:
    content = jpeg(photograph(3, 300, 401), orientation)
    with Image.open(BytesIO(content)) as picture:
        expected = np.array(ImageOps.exif_transpose(picture).convert("RGB"))
    height, width = expected.shape[:2]
    assert decibels(sized(content, "it", height, width), expected) > 45
    small = cv2.resize(expected, (width // 5, height // 5), interpolation=cv2.INTER_AREA)
    assert decibels(sized(content, "it", height // 5, width // 5), small) >= BOUND
    assert (upright(np.arange(24, dtype=np.uint8).reshape(2, 4, 3), 1) == np.arange(24).reshape(2, 4, 3)).all()


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_print_colors_are_read(mode: str) -> None:
    content = jpeg(drawing(1, 200, 240), mode=mode)
    assert decibels(sized(content, "it", 50, 60), whole(content, 50, 60)) >= BOUND


def test_other_formats_are_decoded_whole() -> None:
    file = BytesIO()
    Image.fromarray(drawing(1, 200, 240)).save(file, "PNG")
    expected = cv2.resize(drawing(1, 200, 240), (60, 50), interpolation=cv2.INTER_AREA)
    assert (sized(file.getvalue(), "it", 50, 60) == expected).all()


@pytest.mark.parametrize("kept", [0.3, 0.97])
def test_a_truncated_file_is_refused_by_name(kept: float) -> None:
    content = jpeg(photograph(1, 300, 300))
    with pytest.raises(ImageError, match=r"monet\.jpg is damaged"):
        sized(content[: int(kept * len(content))], "monet.jpg", 30, 30)


def test_a_file_cut_anywhere_in_its_head_is_refused() -> None:
    content = jpeg(photograph(1, 300, 300))
    for end in range(content.index(b"\xff\xda") + 20):
        with pytest.raises(ImageError):
            decode(content[:end], "it", (30, 30))


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8\xff", b"\xff" * 99, b"\xff\xd8" + b"\xff\xe0\x00\x00" * 9, b"\xff\xd8\xff\xda" * 9]
)
def test_what_only_begins_like_a_jpeg_is_refused(content: bytes) -> None:
    with pytest.raises(ImageError):
        decode(content, "it", (30, 30))


def test_a_jpeg_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(ImageError, match="300 x 200 pixels, more than the 100 that are allowed"):
        decode(jpeg(photograph(1, 200, 300)), "it", (30, 30), largest=100)


def test_an_orientation_that_only_xmp_tells_counts() -> None:
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    file = BytesIO()
    Image.fromarray(photograph(1, 200, 300)).save(file, "JPEG", xmp=xmp)
    assert decode(file.getvalue(), "it", (300, 200)).orientation == 6


def test_what_a_camera_appends_is_no_damage() -> None:
    content = jpeg(photograph(1, 300, 300))
    assert (sized(content + b"\0" * 64, "it", 30, 30) == sized(content, "it", 30, 30)).all()
