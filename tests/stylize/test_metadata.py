"""What a file says beside its pixels comes out of every format that has a place for it, and the rest is named."""

import struct
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import IptcImagePlugin

from ganstyle.stylize.encode import encoded, left_out
from ganstyle.stylize.metadata import COMMENT, LONGEST
from ganstyle.stylize.photograph import Photograph, decoded

XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/">Müller</x:xmpmeta>'.encode()
IPTC = b"\x1c\x02\x50\x00\x07Vincent"
"""Record 2, data set 80, the author."""


def photo(depth: type = np.uint8) -> Photograph:
    exif = Pillow.Exif()
    exif[315] = "Vincent"
    exif[272] = "ganstyle's own"
    exif[0x8769] = {36867: "1889:06:18 00:00:00"}
    pixels = np.full((16, 20, 3), np.iinfo(depth).max // 2, depth)
    return Photograph(pixels, exif=exif.tobytes(), xmp=XMP, dpi=(300.0, 300.0), texts={"Author": "Theo"}, iptc=IPTC)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_metadata_comes_through(kind: str, depth: type) -> None:
    content = encoded(photo(depth), kind, None if kind == "TIFF" else "recipe")
    again = decoded(content, "again")
    with Pillow.open(BytesIO(content)) as picture:
        exif = picture.getexif()
        assert (exif[315], exif[272]) == ("Vincent", "ganstyle's own")
        assert exif.get_ifd(0x8769)[36867] == "1889:06:18 00:00:00"
        if kind in ("JPEG", "TIFF"):
            assert (IptcImagePlugin.getiptcinfo(picture) or {})[(2, 80)] == b"Vincent"
    assert again.xmp == XMP
    assert again.dpi == (None if kind == "WEBP" else pytest.approx((300, 300), abs=0.01))
    assert again.recipe == (None if kind == "TIFF" else "recipe")
    assert again.texts == ({"Author": "Theo"} if kind == "PNG" else {})


def test_names_that_are_not_ascii_are_kept_to_the_byte() -> None:
    signed = encoded(Photograph(np.zeros((16, 16, 3), np.uint8), texts={"Author": "Ван Гог"}), "JPEG")
    for kind in ("PNG", "JPEG", "TIFF", "WEBP"):
        signed = encoded(decoded(signed, "photo"), kind)
        assert "Ван Гог".encode() in signed


def test_a_comment_is_a_pngs_text_and_a_jpegs_comment() -> None:
    commented = replace(photo(), texts={COMMENT: "für Theo", "Title": "Irises"})
    with Pillow.open(BytesIO(encoded(commented, "JPEG"))) as picture:
        assert picture.info["comment"] == "für Theo".encode()
    assert decoded(encoded(commented, "PNG"), "again").texts == commented.texts
    assert left_out(commented, "JPEG") == "its text Title"
    assert left_out(commented, "PNG") == "its IPTC record"


def test_a_recipe_gives_way_to_exif_that_fills_a_jpeg() -> None:
    exif = Pillow.Exif()
    exif[315] = "V" * (LONGEST - 100)
    full = Photograph(photo().pixels, exif=exif.tobytes())
    again = decoded(encoded(full, "JPEG", "r" * 900), "again")
    assert again.recipe is None
    assert b"V" * (LONGEST - 100) in (again.exif or b"")
    assert left_out(full, "JPEG", "r" * 900) == "its recipe, for which its EXIF leaves no room"
    assert left_out(full, "JPEG") is None
    assert decoded(encoded(full, "WEBP", "r" * 900), "again").recipe == "r" * 900


def test_exif_that_no_jpeg_holds_is_left_out_and_told() -> None:
    exif = Pillow.Exif()
    exif[315] = "V" * 70_000
    words = {COMMENT: "z" * 70_000}
    long = Photograph(photo().pixels, exif=exif.tobytes(), xmp=b"x" * 70_000, iptc=b"y" * 70_000, texts=words)
    again = decoded(encoded(long, "JPEG"), "again")
    assert (again.exif, again.xmp, again.iptc, again.texts) == (None, None, None, {})
    told = left_out(long, "JPEG") or ""
    assert all(word in told for word in ("XMP", "IPTC", "EXIF", "Comment"))


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("JPEG", "8 of its 16 bits and its transparency, for which white is laid under it"),
        ("WEBP", "8 of its 16 bits and its resolution"),
        ("PNG", None),
        ("TIFF", None),
    ],
)
def test_depth_transparency_and_resolution_are_named_where_there_is_no_place(kind: str, told: str | None) -> None:
    deep = Photograph(photo(np.uint16).pixels, np.full((16, 20), 9, np.uint16), dpi=(300.0, 300.0))
    assert left_out(deep, kind) == told
    again = decoded(encoded(deep, kind), "again")
    assert ("bits" in (told or "")) == (again.pixels.dtype == np.uint8)
    assert ("transparency" in (told or "")) == (again.alpha is None)
    assert ("resolution" in (told or "")) == (again.dpi is None)


def jpeg(exif: bytes) -> bytes:
    file = BytesIO()
    Pillow.new("RGB", (20, 16)).save(file, "JPEG", exif=exif)
    return file.getvalue()


def table(*tags: tuple[int, int, int, bytes]) -> bytes:
    """Put tags (number, type, count, four bytes of value or where it lies) together as TIFF has them."""
    entries = [struct.pack("<HHI4s", *tag) for tag in tags]
    return struct.pack("<H", len(tags)) + b"".join(entries) + bytes(4)


ARTIST = (315, 2, 4, b"Leo\0")
ASCII, BYTE, SHORT, LONG, SIGNED, FLOAT = 2, 1, 3, 4, 9, 11


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("odd", "name"),
    [
        ((282, ASCII, 3, b"72\0\0"), "XResolution"),
        ((296, BYTE, 1, b"\2\0\0\0"), "ResolutionUnit"),
        ((262, SHORT, 2, b"\2\0\2\0"), "PhotometricInterpretation"),
        ((0x8769, SIGNED, 1, b"\xff" * 4), "ExifOffset"),
    ],
)
def test_an_exif_tag_that_cannot_be_written_is_named_and_the_rest_is_kept(
    odd: tuple[int, int, int, bytes], name: str, kind: str
) -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0" + table(*sorted([ARTIST, odd]))
    known = decoded(jpeg(exif), "photo")
    assert left_out(known, "JPEG") == f"its EXIF {name}, which cannot be written"
    with Pillow.open(BytesIO(encoded(known, kind, None if kind == "TIFF" else "recipe"))) as picture:
        assert picture.getexif()[315] == "Leo"
    assert left_out(replace(photo(), exif=exif, iptc=None), "JPEG") == f"its EXIF {name}, which cannot be written"


@pytest.mark.parametrize(
    ("within", "fit", "odd", "name"),
    [
        (0x8825, (1, ASCII, 2, b"N\0\0\0"), (2, ASCII, 3, b"52\0\0"), "GPSLatitude"),
        (0x8769, (36867, ASCII, 4, b"now\0"), (36864, FLOAT, 1, bytes(4)), "ExifVersion"),
    ],
)
def test_of_a_table_in_exif_only_what_cannot_be_written_is_left_out(
    within: int, fit: tuple[int, int, int, bytes], odd: tuple[int, int, int, bytes], name: str
) -> None:
    outer = table(ARTIST, (within, LONG, 1, struct.pack("<I", 8 + 2 + 2 * 12 + 4)))
    known = decoded(jpeg(b"Exif\0\0II*\0\x08\0\0\0" + outer + table(*sorted([fit, odd]))), "photo")
    assert left_out(known, "PNG") == f"its EXIF {name}, which cannot be written"
    with Pillow.open(BytesIO(encoded(known, "PNG"))) as picture:
        assert picture.getexif()[315] == "Leo"
        assert picture.getexif().get_ifd(within) == {fit[0]: fit[3].rstrip(b"\0").decode()}


def test_what_nothing_is_lost_of_is_not_named() -> None:
    exif = Pillow.Exif()
    exif[282] = exif[283] = 300.0
    full = Photograph(photo().pixels, np.full((16, 20), 255, np.uint8), exif=exif.tobytes(), dpi=(300.0, 300.0))
    assert left_out(full, "JPEG") is None
    assert left_out(full, "WEBP") is None
    with Pillow.open(BytesIO(encoded(full, "WEBP"))) as picture:
        assert picture.getexif()[282] == 300


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_becomes_srgb(kind: str) -> None:
    file = BytesIO()
    Pillow.new("CMYK", (16, 16), (0, 255, 255, 0)).save(file, kind, icc_profile=b"profile of some press")
    red = decoded(file.getvalue(), "photo")
    assert red.profile is None
    np.testing.assert_allclose(red.pixels, np.broadcast_to([255, 0, 0], (16, 16, 3)), atol=2)
    assert decoded(encoded(red, kind), "again").pixels.shape == (16, 16, 3)
