"""A restyled photograph as the bytes of a file, with all that the photograph had and its recipe."""

import os
import struct
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image as Pillow

from ganstyle import decode
from ganstyle.beside import beside
from ganstyle.decode import Integers
from ganstyle.errors import ImageError
from ganstyle.stylize import metadata
from ganstyle.stylize.metadata import (
    COMMENT,
    IPTC_ROOM,
    LONGEST,
    RESOLUTION,
    TAGS,
    XMP_ROOM,
    exif_bytes,
    exif_with,
    written,
)
from ganstyle.stylize.photograph import HISTORY, Alpha, Photograph, colored
from ganstyle.stylize.plain import layers, png, tiff

DEEP = ("PNG", "TIFF")
"""Formats that hold 16 bits."""
OPAQUE = ("JPEG",)
"""Formats without transparency: it is laid over white."""
COLORED = ("WEBP",)
"""Formats without gray: that of its own profile is turned into sRGB, as is gray of 16 bits with transparency."""
UNMEASURED = ("WEBP",)
"""Formats without a resolution, but for the one in EXIF."""
OF_IPTC = ("JPEG", "TIFF")
"""Formats that hold an IPTC record."""
TEXTS: Mapping[str, tuple[str, ...] | None] = {"PNG": None, "JPEG": (*TAGS, COMMENT)}
"""Which texts a format holds, itself or in its EXIF; None for all. Others: those that EXIF has a tag for."""


def encoded(photo: Photograph, kind: str, recipe: str | None = None) -> bytes:
    """Encode a photograph as PNG, JPEG, WEBP or TIFF.

    The recipe goes into the EXIF tag ImageHistory; a TIFF carries none.
    What the format cannot hold is brought to what it can: 16 bits to 8 in JPEG and WebP, transparency over white in
    JPEG; `left_out` names it. Raises ImageError when the encoder refuses, e.g. for more pixels than the format
    allows.
    """
    photo, recipe, _ = _worded(_fitted(photo, kind), kind, recipe)
    try:
        if kind == "TIFF":
            return tiff(photo)
        exif = _exif(photo, kind, recipe)
        return png(photo, exif) if kind == "PNG" else _by_pillow(photo, kind, exif)
    except (OSError, ValueError, struct.error) as error:
        raise ImageError(f"the picture cannot be written as {kind}: {error}.") from error


def left_out(photo: Photograph, kind: str, recipe: str | None = None) -> str | None:
    """Say what a format has no place for of what a photograph's file holds: "its IPTC record"; None if there is all."""
    return " and ".join([*_unfit(photo, kind), *_unwritable(photo), *_worded(photo, kind, recipe).left_out]) or None


def publish(content: bytes, path: Path, *, force: bool) -> None:
    """Write a file, whole or not at all; without `force`, only where there is none.

    Raises ImageError when there is one, or the folder cannot be written to.
    """
    try:
        with beside(path) as temporary:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if force:
                temporary.replace(path)
            else:
                _claim(path, temporary)
    except OSError as error:
        raise ImageError(f"cannot write {path}: {error.strerror or error}.") from None


def _claim(path: Path, temporary: Path) -> None:
    """Have a file appear under a name that no other has. Raises ImageError when one has."""
    try:
        _named(path, temporary)
    except FileExistsError:
        raise ImageError(f"{path} has appeared meanwhile; add --force to replace it.") from None


def _named(path: Path, temporary: Path) -> None:
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        path.touch(exist_ok=False)
        temporary.replace(path)


def _fitted(photo: Photograph, kind: str) -> Photograph:
    if kind not in DEEP and photo.pixels.dtype == np.uint16:
        alpha = None if photo.alpha is None else _shallowed(photo.alpha)
        photo = replace(photo, pixels=_shallowed(photo.pixels), alpha=alpha)
    if kind in OPAQUE and photo.alpha is not None:
        photo = replace(photo, pixels=_over_white(photo.pixels, photo.alpha), alpha=None)
    deep_with_alpha = photo.alpha is not None and photo.pixels.dtype == np.uint16
    return colored(photo) if kind in COLORED or deep_with_alpha else photo


def _unfit(photo: Photograph, kind: str) -> list[str]:
    """Name what of the pixels a format has no place for."""
    lost = [f"{photo.frames - 1} of its {photo.frames} frames"] if photo.frames > 1 else []
    lost += ["8 of its 16 bits"] if kind not in DEEP and photo.pixels.dtype == np.uint16 else []
    if kind in OPAQUE and photo.alpha is not None and (photo.alpha < np.iinfo(photo.alpha.dtype).max).any():
        lost.append("its transparency, for which white is laid under it")
    return lost


def _unwritable(photo: Photograph) -> list[str]:
    """Name what no format has a place for."""
    names = [*photo.unwritable, *written(exif_with(photo.exif, {})).left_out]
    return [f"its EXIF {', '.join(names)}, which cannot be written"] if names else []


def _shallowed(values: Any) -> Any:
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def _over_white(pixels: Integers, alpha: Alpha) -> Integers:
    cover = alpha[..., None].astype(np.uint32)
    return ((pixels * cover + 255 * (255 - cover) + 127) // 255).astype(np.uint8)


class _Worded(NamedTuple):
    """A photograph with the metadata for which a format has a place."""

    photo: Photograph
    recipe: str | None
    left_out: list[str]


def _worded(photo: Photograph, kind: str, recipe: str | None) -> _Worded:
    """Leave out what a format has no place for: kinds that it does not know, and in JPEG what is too long."""
    lost: list[str] = []
    if photo.dpi is not None and kind in UNMEASURED and RESOLUTION not in exif_with(photo.exif, {}):
        photo, lost = replace(photo, dpi=None), ["its resolution"]
    if photo.xmp is not None and kind == "JPEG" and len(photo.xmp) > XMP_ROOM:
        photo, lost = replace(photo, xmp=None), [*lost, "its XMP, which is too long"]
    if photo.iptc is not None and (kind not in OF_IPTC or (kind == "JPEG" and len(photo.iptc) > IPTC_ROOM)):
        photo, lost = replace(photo, iptc=None), [*lost, "its IPTC record"]
    known = TEXTS.get(kind, tuple(TAGS))
    if kind == "JPEG" and len(photo.texts.get(COMMENT, "").encode()) > LONGEST:
        known = tuple(TAGS)
    if known is not None and (other := sorted(set(photo.texts) - set(known))):
        texts = {word: text for word, text in photo.texts.items() if word in known}
        photo, lost = replace(photo, texts=texts), [*lost, f"its text {', '.join(other)}"]
    if kind != "JPEG":
        return _Worded(photo, recipe, lost)
    if recipe is not None and len(_exif(photo, kind, recipe) or b"") > LONGEST:
        recipe, lost = None, [*lost, "its recipe, for which its EXIF leaves no room"]
    if len(_exif(photo, kind, recipe) or b"") > LONGEST:
        photo, lost = replace(photo, exif=None), [*lost, "its EXIF, which is too long"]
    return _Worded(photo, recipe, lost)


def _exif(photo: Photograph, kind: str, recipe: str | None) -> bytes | None:
    exif = exif_with(photo.exif, {} if kind == "PNG" else photo.texts)
    if recipe is not None:
        exif[HISTORY] = recipe
    return exif_bytes(exif)


def _by_pillow(photo: Photograph, kind: str, exif: bytes | None) -> bytes:
    known: dict[str, object] = {"icc_profile": photo.profile, "exif": exif, "dpi": photo.dpi, "xmp": photo.xmp}
    if kind == "JPEG":
        known["comment"] = photo.texts.get(COMMENT)
        known["extra"] = None if photo.iptc is None else metadata.jpeg_iptc(photo.iptc)
    options = {name: value for name, value in known.items() if value is not None}
    file, content = BytesIO(), layers(photo)
    picture = Pillow.fromarray(content[..., 0] if content.shape[2] == 1 else content)
    picture.save(file, kind, **decode.OPTIONS.get(kind, {}), **options)
    return file.getvalue()
