"""What a picture file says beside its pixels, read from any format and put into the words of another."""

import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from PIL import ExifTags
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

EXIF, GPS, INTEROP = 0x8769, 0x8825, 0xA005
"""EXIF tags that stand for whole tables."""
RESOLUTION = 0x011A
"""The EXIF tag of the dots along a row."""
IPTC, IPTC_IN_TIFF, XMP_IN_TIFF = 0x0404, 33723, 700
"""The number of the IPTC record among Photoshop's, in JPEG; and TIFF tags."""
XMP_IN_PNG, RAW = "XML:com.adobe.xmp", "Raw profile type "
LYING = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|\s*>)\s*)[2-8]""")
"""What XMP says of a picture that is not upright, as an attribute or an element."""
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


class Written(NamedTuple):
    """EXIF in bytes."""

    content: bytes | None
    """None for empty EXIF."""
    left_out: tuple[str, ...]
    """Names of the tags that cannot be written, such as a resolution in letters."""


def exif_bytes(exif: Pillow.Exif) -> bytes | None:
    """Write EXIF as `written` does; nothing for an empty one."""
    return written(exif).content


def written(exif: Pillow.Exif) -> Written:
    """Write EXIF without the tags that cannot be written, which are taken out of it."""
    try:
        return Written(_whole(exif), ())
    except Exception:  # Pillow takes the kind of a value for granted and fails in many ways
        names = tuple(_taken_out(exif))
        return Written(_whole(exif), names)


def _whole(exif: Pillow.Exif) -> bytes | None:
    for table in (exif, *(exif.get_ifd(tag) for tag in (EXIF, GPS) if tag in exif)):
        for tag, value in [(tag, value) for tag, value in table.items() if isinstance(value, str)]:
            table[tag] = _Words(value)
    return exif.tobytes() if len(exif) else None


def _taken_out(exif: Pillow.Exif) -> Iterator[str]:
    """Take out the tags that cannot be written, and yield their names."""
    for tag in [tag for tag in exif if _fails(exif, None, tag)]:
        del exif[tag]
        yield ExifTags.TAGS.get(tag, str(tag))
    for within, names in ((EXIF, ExifTags.TAGS), (GPS, ExifTags.GPSTAGS)):
        table = exif.get_ifd(within) if within in exif else {}
        for tag in [tag for tag in table if _fails(exif, within, tag)]:
            del table[tag]
            yield names.get(tag, str(tag))


def _fails(exif: Pillow.Exif, within: int | None, tag: int) -> bool:
    """Say whether a tag, outermost or within a table, cannot be written; of one for a table, if it cannot be read."""
    trial = Pillow.Exif()
    try:
        if within is not None:
            table = exif.get_ifd(within)
            trial[within] = {tag: exif.get_ifd(tag) if (within, tag) == (EXIF, INTEROP) else table[tag]}
        elif tag in (EXIF, GPS):
            exif.get_ifd(tag)
        else:
            trial[tag] = exif[tag]
        trial.tobytes()
    except Exception:  # as above
        return True
    return False


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
    """Find a picture's XMP packet, and have it say that the picture is upright."""
    found = picture.info.get("xmp") or picture.info.get(XMP_IN_PNG)
    packet = found.encode() if isinstance(found, str) else found
    return LYING.sub(rb"\g<1>1", packet) if isinstance(packet, bytes) else None


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
