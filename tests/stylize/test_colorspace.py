"""Pictures with other colors than sRGB's: networks see sRGB, files keep their own."""

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from ganstyle import artifact
from ganstyle.nn.light import Light
from ganstyle.stylize.colorspace import colorspace
from ganstyle.stylize.controls import Controls
from ganstyle.stylize.encode import encoded
from ganstyle.stylize.files import Studio
from ganstyle.stylize.photograph import Photograph, decoded
from ganstyle.stylize.shaper import shaper

ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
"""The primaries of Adobe RGB (1998) in XYZ under D50."""
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
"""Those of sRGB as sRGB IEC61966-2.1 has them (Hewlett-Packard 1998)."""
WIDE = (24_000, 40_000, 65_535)
"""A curve of three points that begins in the dark."""


def profile(
    colors: bytes = b"RGB ",
    curve: tuple[int, ...] | bytes = (563,),
    axes: tuple[tuple[float, ...], ...] = ADOBE,
    name: bytes = b"Test",
) -> bytes:
    """Put an ICC profile of version 2 together: curves, and for RGB a matrix."""
    points = b"" if isinstance(curve, bytes) else struct.pack(f">I{len(curve)}H", len(curve), *curve)
    table = curve if isinstance(curve, bytes) else b"curv\0\0\0\0" + points
    text = b"desc\0\0\0\0" + struct.pack(">I", len(name) + 1) + name + bytes(79)
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * value) for value in (0.9642, 1.0, 0.8249)))
    tags = {b"desc": text, b"wtpt": white, b"cprt": b"text\0\0\0\0none\0"}
    if colors == b"GRAY":
        tags[b"kTRC"] = table
    else:
        columns = [b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * value) for value in axis)) for axis in axes]
        tags |= dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True))
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), table)
    place, entries, body = 132 + 12 * len(tags), b"", b""
    for tag, content in tags.items():
        content += bytes(-len(content) % 4)
        entries += tag + struct.pack(">II", place + len(body), len(content))
        body += content
    header = struct.pack(">I4sI4s4s4s12s4s", 0, b"none", 0x02400000, b"mntr", colors, b"XYZ ", bytes(12), b"acsp")
    header += bytes(28) + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D) + bytes(48)
    whole = header + struct.pack(">I", len(tags)) + entries + body
    return struct.pack(">I", len(whole)) + whole[4:]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> artifact.Artifact:
    folder = tmp_path_factory.mktemp("models") / "light"
    artifact.save(Light(blocks=1, channels=8), folder)
    return artifact.load(folder)


def restyled(model: artifact.Artifact, photo: Photograph, kind: str, **controls: Any) -> Photograph:
    return decoded(Studio(model, "light", Controls(**controls), 10**9).restyle(photo, kind), "out")


def pixels(depth: type, *, gray: bool = False) -> np.ndarray:
    shape = (24, 32, 1 if gray else 3)
    drawn = np.random.default_rng(0).integers(0, np.iinfo(depth).max, shape, dtype=depth, endpoint=True)
    return drawn.repeat(3, axis=2) if gray else drawn


def test_a_curve_that_divides_by_zero_is_no_curve() -> None:
    assert shaper(profile(curve=b"para\0\0\0\0" + struct.pack(">HH3i", 1, 0, 0x20000, 0x10000, 0))) is not None
    assert shaper(profile(curve=b"para\0\0\0\0" + struct.pack(">HH3i", 1, 0, 0x20000, 0, 0x10000))) is None


def test_srgb_is_known_by_its_colors_and_not_by_its_name() -> None:
    numbers = np.linspace(0, 1, 1024)
    light = np.where(numbers <= 0.04045, numbers / 12.92, ((numbers + 0.055) / 1.055) ** 2.4)
    table = tuple(np.rint(light * 65535).astype(int).tolist())
    assert colorspace(profile(curve=table, axes=SRGB)) is None
    assert colorspace(profile(curve=table, name=b"better than sRGB")) is not None
    linear = colorspace(profile(curve=(), axes=SRGB, name=b"GIMP built-in Linear sRGB"))
    assert linear is not None
    half = np.full((1, 1, 3), round(65535 * ((0.5 + 0.055) / 1.055) ** 2.4), np.uint16)
    np.testing.assert_allclose(linear.to_srgb(half), 65535 / 2, atol=65535 / 1000)


@pytest.mark.parametrize("curve", [(563,), (), (0, *WIDE)], ids=["gamma", "linear", "table"])
def test_sixteen_bits_are_converted_as_eight_are_but_finer(curve: tuple[int, ...]) -> None:
    space = colorspace(profile(curve=curve))
    assert space is not None
    deep = pixels(np.uint8).astype(np.uint16) * 257
    there = space.to_srgb(deep)
    assert np.abs(there / 257 - space.to_srgb(pixels(np.uint8))).max() < 2.0
    assert len(np.unique(there % 257)) > 100
    back = space.from_srgb(there)
    inside = (there.min(axis=2) > 0) & (there.max(axis=2) < 65535)
    assert inside.mean() > 0.3
    assert np.abs(back[inside].astype(int) - deep[inside]).max() <= 80


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_picture_keeps_its_colors_and_at_strength_0_its_pixels(
    model: artifact.Artifact, kind: str, depth: type
) -> None:
    photo = Photograph(pixels(depth), profile=profile())
    same = restyled(model, photo, kind, strength=0.0)
    np.testing.assert_array_equal(same.pixels, photo.pixels)
    painted = restyled(model, photo, kind)
    assert same.profile == painted.profile == profile()
    space = colorspace(profile())
    assert space is not None
    seen = restyled(model, Photograph(space.to_srgb(photo.pixels)), kind)
    wanted = space.from_srgb(seen.pixels)
    np.testing.assert_array_equal(painted.pixels, wanted)
    assert depth == np.uint8 or len(np.unique(painted.pixels % 257)) > 100


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
def test_gray_of_its_own_profile_comes_back_or_becomes_srgb(model: artifact.Artifact, kind: str, depth: type) -> None:
    own = profile(b"GRAY", (256,))
    file = BytesIO()
    Pillow.fromarray(pixels(depth, gray=True)[..., 0]).save(file, "PNG", icc_profile=own)
    photo = decoded(file.getvalue(), "gray.png")
    assert photo.profile == own
    np.testing.assert_array_equal(photo.pixels, pixels(depth, gray=True))
    same, painted = restyled(model, photo, kind, strength=0.0), restyled(model, photo, kind)
    assert same.profile == (None if kind == "WEBP" else own)
    if kind in ("PNG", "TIFF"):
        np.testing.assert_array_equal(same.pixels, photo.pixels)
        light = photo.pixels / np.iinfo(depth).max
        srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        seen = np.rint(srgb * np.iinfo(depth).max).astype(depth)
        np.testing.assert_array_equal(painted.pixels, restyled(model, Photograph(seen), kind).pixels)
    assert painted.profile is None


def test_a_profile_that_cannot_be_understood_is_kept_and_its_colors_are_taken_for_srgb() -> None:
    assert colorspace(b"nonsense") is None
    assert colorspace(profile(b"GRAY")) is None
    assert colorspace(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()) is None
    again = decoded(encoded(Photograph(pixels(np.uint8), profile=b"nonsense"), "PNG"), "again")
    assert again.profile == b"nonsense"
