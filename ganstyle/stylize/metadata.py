"""What a picture file says beside its pixels, read from any format and put into the words of another."""

import struct
from collections.abc import Mapping
from typing import Any

from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

EXIF, GPS, INTEROP = 0x8769, 0x8825, 0xA005
"""EXIF tags that stand for whole tables."""
IPTC, IPTC_IN_TIFF, XMP_IN_TIFF = 0x0404, 33723, 700
"""The number of the IPTC record among Photoshop's, in JPEG; and TIFF tags."""
XMP_IN_PNG, RAW = "XML:com.adobe.xmp", "Raw profile type "
COMMENT = "Comment"
"""A PNG's keyword for what is JPEG's comment."""
TAGS = {"Description": 270, "Software": 305, "Author": 315, "Copyright": 33432}
"""EXIF tags that say what a keyword of PNG says."""
LONGEST = 65_533
"""Bytes that one segment of a JPEG holds."""
XMP_ROOM, IPTC_ROOM = LONGEST - 29, LONGEST - 28
"""The same without what a segment of this kind begins with."""


class _Words(str):
    """A text that Pillow writes byte for byte as it was read: by itself it writes "?" for all but ASCII."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Give Latin-1, as which Pillow reads whatever bytes there are; UTF-8 for what never was in a file."""
        try:
            return super().encode("latin-1")
        except UnicodeEncodeError:
            return super().encode("utf-8")


def exif_bytes(exif: Pillow.Exif) -> bytes | None:
    """Write EXIF; nothing for an empty one."""
    for table in (exif, *(exif.get_ifd(tag) for tag in (EXIF, GPS) if tag in exif)):
        for tag, value in [(tag, value) for tag, value in table.items() if isinstance(value, str)]:
            table[tag] = _Words(value)
    return exif.tobytes() if len(exif) else None


def exif_with(content: bytes | None, texts: Mapping[str, str]) -> Pillow.Exif:
    """Read EXIF, and add what texts say and it does not."""
    exif = Pillow.Exif()
    if content is not None:
        exif.load(content)
    for keyword, tag in TAGS.items():
        if keyword in texts and tag not in exif:
            exif[tag] = texts[keyword]
    return exif


def tiff_tags(exif: Pillow.Exif, tags: tuple[int, ...]) -> dict[int, Any]:
    """Return some of EXIF's tags as a TIFF has them, whole tables as such."""
    exif_bytes(exif)
    tables = {tag: dict(exif.get_ifd(tag)) for tag in (EXIF, GPS) if tag in exif}
    tables.get(EXIF, {}).pop(INTEROP, None)
    return {tag: tables.get(tag, exif[tag]) for tag in tags if tag in exif}


def xmp_of(picture: Pillow.Image) -> bytes | None:
    """Find a picture's XMP packet."""
    found = picture.info.get("xmp") or picture.info.get(XMP_IN_PNG)
    return found.encode() if isinstance(found, str) else found if isinstance(found, bytes) else None


def iptc_of(picture: Pillow.Image) -> bytes | None:
    """Find the IPTC record of a JPEG or TIFF."""
    blocks = picture.info.get("photoshop")
    tags = getattr(picture, "tag_v2", {})
    found = blocks.get(IPTC) if isinstance(blocks, dict) else tags.get(IPTC_IN_TIFF)
    return found if isinstance(found, bytes) else None


def texts_of(picture: Pillow.Image) -> dict[str, str]:
    """Collect a PNG's texts by keyword, or a JPEG's comment; read after the pixels, behind which some stand."""
    if picture.format == "PNG":
        texts: Mapping[str, str] = picture.text  # type: ignore[attr-defined]
        return {word: text for word, text in texts.items() if word != XMP_IN_PNG and not word.startswith(RAW)}
    comment = picture.info.get("comment") if picture.format in ("JPEG", "MPO") else None
    if not isinstance(comment, bytes) or not comment:
        return {}
    try:
        return {COMMENT: comment.decode()}
    except UnicodeDecodeError:
        return {COMMENT: comment.decode("latin-1")}


def png_texts(texts: Mapping[str, str], xmp: bytes | None) -> PngInfo:
    """Put texts and an XMP packet into chunks of a PNG."""
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text)
    if xmp is not None:
        info.add_itxt(XMP_IN_PNG, xmp.decode("utf-8", "replace"))
    return info


def jpeg_iptc(record: bytes) -> bytes:
    """Put an IPTC record into a segment of a JPEG, as Photoshop does."""
    content = (
        b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", IPTC, 0, len(record)) + record + b"\0" * (len(record) % 2)
    )
    return b"\xff\xed" + struct.pack(">H", 2 + len(content)) + content
