"""PNG and TIFF, put together here: Pillow writes PNG slowly, and of 16 bits neither with all that a photograph has."""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from ganstyle.stylize.colorspace import is_gray
from ganstyle.stylize.metadata import IPTC_IN_TIFF, XMP_IN_TIFF, exif_with, png_texts, tiff_tags
from ganstyle.stylize.photograph import WORDS, Photograph

INCH = 0.0254
"""Meters."""
SIGNATURE, AVERAGE, COLOR_TYPES = b"\x89PNG\r\n\x1a\n", 3, {1: 0, 2: 4, 3: 2, 4: 6}
"""Of a PNG: how it begins, which filter it names, and its type of color by channels."""
AT_ONCE = 2**20
"""Bytes of a PNG's pixels that are filtered and packed together."""


def layers(photo: Photograph) -> Any:
    """Return the pixels, with alpha as a last channel where there is one; of gray with its own profile, one channel."""
    pixels = photo.pixels[..., :1] if is_gray(photo.profile) else photo.pixels
    return pixels if photo.alpha is None else np.dstack([pixels, photo.alpha])


def png(photo: Photograph, exif: bytes | None) -> bytes:
    """Write a PNG of 8 or 16 bits, what is not pixels before them."""
    found = layers(photo)
    height, width, channels = found.shape
    chunks = [_chunk(b"IHDR", struct.pack(">IIBB3x", width, height, 8 * found.itemsize, COLOR_TYPES[channels]))]
    chunks += [] if photo.profile is None else [_chunk(b"iCCP", b"ICC\0\0" + zlib.compress(photo.profile))]
    chunks += [] if photo.dpi is None else [_chunk(b"pHYs", struct.pack(">IIB", *map(_per_meter, photo.dpi), 1))]
    chunks += [] if exif is None else [_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))]
    chunks += [_chunk(name, data) for name, data, *_ in png_texts(photo.texts, photo.xmp).chunks]
    packer = isal_zlib.compressobj(isal_zlib.ISAL_BEST_COMPRESSION)
    packed = [packer.compress(rows) for rows in _filtered(found)] + [packer.flush()]
    return b"".join([SIGNATURE, *chunks, *(_chunk(b"IDAT", part) for part in packed if part), _chunk(b"IEND", b"")])


def _filtered(pixels: NDArray[np.integer[Any]]) -> Iterator[NDArray[np.uint8]]:
    """Take from each byte the mean of those to the left and above, some rows at a time.

    Photographs come out as small as where Pillow looks for each row's best filter.
    """
    height, width, channels = pixels.shape
    apart = channels * pixels.itemsize
    above = np.zeros((1, apart * width), np.uint8)
    for top in range(0, height, step := max(1, AT_ONCE // (apart * width))):
        some = np.ascontiguousarray(pixels[top : top + step], pixels.dtype.newbyteorder(">"))
        rows = some.view(np.uint8).reshape(-1, apart * width)
        left, up = np.pad(rows[:, :-apart], ((0, 0), (apart, 0))), np.vstack([above, rows[:-1]])
        above = rows[-1:]
        result = np.full((len(rows), 1 + apart * width), AVERAGE, np.uint8)
        result[:, 1:] = rows - ((left & up) + ((left ^ up) >> 1))
        yield result


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
