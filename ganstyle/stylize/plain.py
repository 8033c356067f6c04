"""PNG of 16 bits and TIFF, put together here: Pillow writes neither with all that a photograph has."""

import struct
import zlib
from typing import Any

import cv2
import numpy as np
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from ganstyle.stylize.colorspace import is_gray
from ganstyle.stylize.metadata import IPTC_IN_TIFF, XMP_IN_TIFF, exif_with, png_texts, tiff_tags
from ganstyle.stylize.photograph import WORDS, Photograph

INCH = 0.0254
"""Meters."""


def layers(photo: Photograph) -> Any:
    """Return the pixels, with alpha as a last channel where there is one; of gray with its own profile, one channel."""
    pixels = photo.pixels[..., :1] if is_gray(photo.profile) else photo.pixels
    return pixels if photo.alpha is None else np.dstack([pixels, photo.alpha])


def deep_png(photo: Photograph, exif: bytes | None) -> bytes:
    """Encode 16 bits, then put the rest behind the header, as the PNG specification has it."""
    found = layers(photo)
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(found.shape[2])
    _, content = cv2.imencode(".png", found if order is None else cv2.cvtColor(found, order))
    plain: bytes = content.tobytes()
    chunks = b"" if photo.profile is None else _chunk(b"iCCP", b"ICC\0\0" + zlib.compress(photo.profile))
    chunks += b"" if photo.dpi is None else _chunk(b"pHYs", struct.pack(">IIB", *map(_per_meter, photo.dpi), 1))
    chunks += b"" if exif is None else _chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    chunks += b"".join(_chunk(name, data) for name, data, *_ in png_texts(photo.texts, photo.xmp).chunks)
    return plain[:33] + chunks + plain[33:]


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _per_meter(dots: float) -> int:
    return int(dots / INCH + 0.5)


def tiff(photo: Photograph) -> bytes:
    """Write a plain TIFF of one strip."""
    content = layers(photo)
    height, width, channels = content.shape
    bits = 8 * content.itemsize
    colors = 1 if channels < 3 else 2
    tags: dict[int, Any] = {
        256: width,
        257: height,
        258: (bits,) * channels,
        259: 1,
        262: colors,
        273: 0,
        277: channels,
    }
    tags |= {278: height, 279: content.nbytes, 284: 1}
    tags |= {338: 2} if photo.alpha is not None else {}
    tags |= {282: photo.dpi[0], 283: photo.dpi[1], 296: 2} if photo.dpi is not None else {}
    tags |= tiff_tags(exif_with(photo.exif, photo.texts), WORDS)
    tags |= {XMP_IN_TIFF: photo.xmp} if photo.xmp is not None else {}
    tags |= {IPTC_IN_TIFF: photo.iptc} if photo.iptc is not None else {}
    tags |= {34675: photo.profile} if photo.profile is not None else {}
    directory = ImageFileDirectory_v2(prefix=b"II")
    directory.tagtype |= {256: 4, 257: 4, 273: 4, 278: 4, 279: 4, XMP_IN_TIFF: 1, IPTC_IN_TIFF: 7, 34675: 7}
    for tag, value in tags.items():
        directory[tag] = value
    header: bytes = directory.tobytes(8)  # which moves the strip's offset (273) behind itself
    body = content.astype(content.dtype.newbyteorder("<"), copy=False).tobytes()
    return b"".join([b"II*\0", struct.pack("<I", 8), header, body])
