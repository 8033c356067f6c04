import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from ganstyle import images
from ganstyle.errors import ImageError, ShapeError

RAMP = np.stack(np.broadcast_arrays(np.arange(0, 240, 8)[None, :], np.arange(0, 160, 8)[:, None], 77), -1).astype(
    np.uint8
)
"""20 x 30, red rises to the right, green downwards."""
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p, 1),
}
"""What a viewer does with the stored pixels, by the EXIF orientation (Exif 2.3, table 4.6.4.A)."""


@given(arrays(np.uint8, (3, 4, 3)))
def test_bytes_survive_the_way_to_tensors_and_back(pixels: np.ndarray) -> None:
    image = images.to_tensor(pixels)
    assert image.min() >= -1
    assert image.max() <= 1
    assert (images.to_uint8(image) == pixels).all()


def test_black_is_minus_one_and_white_is_one() -> None:
    pixels = np.array([[[0, 255, 51]]], np.uint8)
    assert images.to_tensor(pixels)[:, 0, 0].tolist() == pytest.approx([-1, 1, -0.6])
    batch = torch.tensor([-7.0, 0.0, 1.5]).view(1, 3, 1, 1)
    assert images.to_uint8(batch).tolist() == [[[[0, 128, 255]]]]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".webp", ".jpg", ".jpeg", ".PNG"])
def test_what_is_written_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"new/picture{suffix}"
    images.write(images.to_tensor(RAMP), path)
    error = np.abs(images.read(path).astype(int) - RAMP)
    assert error.max() <= (8 if suffix in (".jpg", ".jpeg", ".webp") else 0)
    assert images.dimensions(path) == (20, 30)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", TURNS)
def test_pictures_are_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[images.ORIENTATION] = orientation
    path = tmp_path / f"turned.{suffix}"
    Image.fromarray(RAMP).save(path, exif=exif, **({"quality": 100} if suffix != "tif" else {}))
    shown = TURNS[orientation](RAMP)
    assert images.dimensions(path) == shown.shape[:2]
    assert np.abs(images.read(path).astype(int) - shown).max() < 12


def save(path: Path, mode: str) -> Path:
    Image.fromarray(RAMP).convert(mode).save(path)
    return path


@pytest.mark.parametrize(
    ("mode", "suffix", "tolerance"),
    [
        ("RGB", "png", 0),
        ("CMYK", "jpg", 12),
        ("CMYK", "tif", 1),
        ("P", "png", 40),
        ("YCbCr", "tif", 3),
        ("LAB", "tif", 6),
    ],
)
def test_color_survives_every_mode(tmp_path: Path, mode: str, suffix: str, tolerance: int) -> None:
    if mode == "LAB":
        pytest.importorskip("PIL.ImageCms")
        from PIL import ImageCms

        picture = ImageCms.profileToProfile(
            Image.fromarray(RAMP), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
        assert picture is not None
        picture.save(tmp_path / "p.tif")
        read = images.read(tmp_path / "p.tif")
    else:
        read = images.read(save(tmp_path / f"p.{suffix}", mode))
    assert np.abs(read.astype(int) - RAMP).mean() <= tolerance


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path: Path, suffix: str) -> None:
    deep = (np.arange(600).reshape(20, 30) * 109).astype(np.uint16)
    path = tmp_path / f"deep.{suffix}"
    Image.fromarray(deep).save(path)
    expected = np.rint(deep / 257.0)
    assert (images.read(path) == expected[..., None]).all()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_color_keeps_its_high_byte(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"deep.{suffix}"
    cv2.imwrite(str(path), RAMP[..., ::-1].astype(np.uint16) * 257)
    assert (images.read(path) == RAMP).all()


def test_gray_of_16_bits_is_no_negative_and_shows_white_where_it_is_transparent(tmp_path: Path) -> None:
    gray = np.arange(256, dtype=np.uint16).reshape(16, 16) * 257
    Image.fromarray(gray).save(tmp_path / "negative.tif", tiffinfo={262: 0})
    assert (images.read(tmp_path / "negative.tif")[..., 0] == 255 - gray // 257).all()
    Image.fromarray(gray).save(tmp_path / "clear.png", transparency=10 * 257)
    assert (images.read(tmp_path / "clear.png")[..., 1] == np.where(gray == 10 * 257, 255, gray // 257)).all()


def test_transparency_shows_white(tmp_path: Path) -> None:
    clear = np.zeros((4, 4, 4), np.uint8)
    clear[2:] = (200, 0, 0, 255)
    clear[:, 2:, 3] //= 2
    Image.fromarray(clear).save(tmp_path / "a.png")
    Image.fromarray(clear).convert("LA").save(tmp_path / "la.png")
    Image.fromarray(clear).quantize(8).save(tmp_path / "pa.png")
    read = images.read(tmp_path / "a.png")
    assert read[0, 0].tolist() == [255, 255, 255]
    assert read[3, 0].tolist() == [200, 0, 0]
    assert read[3, 3].tolist() == [228, 128, 128]
    assert images.read(tmp_path / "la.png")[0, 0].tolist() == [255, 255, 255]
    assert images.read(tmp_path / "pa.png")[0, 0].tolist() == [255, 255, 255]


def test_a_palette_may_name_a_transparent_color(tmp_path: Path) -> None:
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([10, 20, 30, 200, 0, 0])
    picture.paste(0, (0, 0, 2, 4))
    picture.save(tmp_path / "p.png", transparency=0)
    assert images.read(tmp_path / "p.png")[0, :, 0].tolist() == [255, 255, 200, 200]


def test_the_content_decides_about_the_format(tmp_path: Path) -> None:
    path = tmp_path / "really.jpg"
    Image.fromarray(RAMP).save(path, "PNG")
    assert (images.read(path) == RAMP).all()
    assert images.header(path) == (20, 30, "RGB", "PNG")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.7])
def test_a_file_cut_short_is_refused_by_name(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"cut.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ImageError, match=rf"cut\.{suffix} is (damaged|not a picture)"):
        images.read(path)


def bomb(path: Path, width: int, height: int) -> Path:
    """A PNG of a few bytes that claims to be huge."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


@pytest.mark.parametrize("sides", [(20_000, 20_000), (11_000, 11_000), (60_000, 60_000)])
def test_a_decompression_bomb_is_refused_before_it_goes_off(tmp_path: Path, sides: tuple[int, int]) -> None:
    path = bomb(tmp_path / "bomb.png", *sides)
    for look in (images.read, images.header):
        with pytest.raises(ImageError, match=r"bomb\.png has .* pixels"):
            look(path)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.png").write_text("not a picture")
    for path, words in [("note.png", "not a picture"), ("nowhere.png", "there is no picture"), (".", "is a folder")]:
        with pytest.raises(ImageError, match=words):
            images.read(tmp_path / path)


def test_a_jpeg_may_be_decoded_smaller_but_not_too_small(tmp_path: Path) -> None:
    pixels = cv2.resize(RAMP, (480, 320), interpolation=cv2.INTER_LINEAR)
    Image.fromarray(pixels).save(tmp_path / "big.jpg", quality=98)
    small = images.read(tmp_path / "big.jpg", at_least=(70, 105))
    assert small.shape == (160, 240, 3)
    assert np.abs(small.astype(int) - images.resize(pixels, 160, 240)).mean() < 2


def test_writing_fails_in_words_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"unknown format '.pgn'; did you mean '.png'"):
        images.write(RAMP, tmp_path / "picture.pgn")
    (tmp_path / "taken").write_text("")
    with pytest.raises(ImageError, match="cannot write"):
        images.write(RAMP, tmp_path / "taken" / "picture.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ImageError, match="cannot write"):
        images.write(RAMP, tmp_path / "folder.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "taken"]


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2, 4, 8, 32]))
def test_padding_reflects_and_is_undone_by_cropping(height: int, width: int, multiple: int) -> None:
    image = torch.randn(2, 3, height, width)
    padded = images.pad(image, multiple)
    assert padded.shape[-2] % multiple == 0
    assert padded.shape[-1] % multiple == 0
    assert torch.equal(images.crop(padded, height, width), image)
    naive = np.pad(image.numpy(), [(0, 0), (0, 0), (0, -height % multiple), (0, -width % multiple)], mode="reflect")
    assert (padded.numpy() == naive).all()


def test_a_grid_shows_pictures_in_rows_under_labels(tmp_path: Path) -> None:
    colors = [[torch.full((3, 200, 210), value) for value in row] for row in ([-1.0, 0.0], [0.0, 1.0])]
    images.grid(colors, tmp_path / "grid.png", ["source", "result"])
    body = images.read(tmp_path / "grid.png")[images.LABEL_HEIGHT :]
    assert body.shape == (400, 420, 3)
    assert [body[y, x, 0] for y in (0, 399) for x in (0, 419)] == [0, 128, 128, 255]
    assert images.read(tmp_path / "grid.png")[: images.LABEL_HEIGHT].min() < 100


def test_tiny_pictures_are_enlarged_in_a_grid(tmp_path: Path) -> None:
    images.grid([[images.to_tensor(RAMP)]], tmp_path / "grid.png")
    assert (images.read(tmp_path / "grid.png")[::9, ::9] == RAMP).all()


def test_a_grid_of_unequal_pictures_is_refused(tmp_path: Path) -> None:
    for rows in ([], [[]], [[torch.zeros(3, 4, 4)], []], [[torch.zeros(3, 4, 4), torch.zeros(3, 4, 5)]]):
        with pytest.raises(ShapeError, match="one size"):
            images.grid(rows, tmp_path / "grid.png")


def test_shrinking_averages_areas() -> None:
    pixels = np.array([[[0, 0, 0], [100, 100, 100]], [[100, 100, 100], [200, 200, 200]]], np.uint8)
    assert images.resize(pixels, 1, 1).tolist() == [[[100, 100, 100]]]


def test_compressing_again_is_what_saving_and_reading_does(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "saved.jpg", quality=40)
    assert (images.recompress(pixels, 40) == images.read(tmp_path / "saved.jpg")).all()


@pytest.mark.parametrize("quality", [10, 50, 75, 92])
def test_a_jpeg_tells_its_quality(tmp_path: Path, quality: int) -> None:
    Image.fromarray(RAMP).save(tmp_path / "saved.jpg", quality=quality)
    assert images.jpeg_quality(tmp_path / "saved.jpg") == quality
    Image.fromarray(RAMP).save(tmp_path / "saved.png")
    assert images.jpeg_quality(tmp_path / "saved.png") is None


@pytest.mark.parametrize(("kind", "top"), [("float32", 1), ("float32", 255), ("float32", 65535), ("int32", 255)])
def test_gray_of_32_bits_is_read_by_the_white_that_its_values_have(tmp_path: Path, kind: str, top: int) -> None:
    shades = np.linspace(0, 1, 600).reshape(20, 30)
    path = tmp_path / "gray.tif"
    Image.fromarray((shades * top).astype(kind)).save(path)
    assert np.abs(images.read(path)[..., 0] / 255 - shades).max() < 1 / 200
