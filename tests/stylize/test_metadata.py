"""What a file says beside its pixels comes out of every format that has a place for it, and the rest is named."""

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
