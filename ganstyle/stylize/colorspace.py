"""Between the colors of a photograph's own profile and sRGB, which networks have learned from."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image as Pillow
from PIL import ImageCms

from ganstyle.decode import Integers
from ganstyle.stylize.shaper import Shaper, is_srgb, shaper


@dataclass(frozen=True)
class ColorSpace:
    """A profile's colors, to sRGB and back; relative colorimetric."""

    there: ImageCms.ImageCmsTransform
    back: ImageCms.ImageCmsTransform
    deep: Shaper | None = None
    """For 16 bits, where the profile is curves and a matrix; else these are turned into 8 on the way."""

    def depth(self, pixels: Integers) -> "np.dtype[np.unsignedinteger]":
        """Say in which depth a picture's colors are converted."""
        return pixels.dtype if self.deep is not None else np.dtype(np.uint8)

    def to_srgb(self, pixels: Integers) -> Integers:
        """Turn a picture's colors into sRGB."""
        if pixels.dtype == np.uint16 and self.deep is not None:
            return self.deep.to_srgb(pixels)
        shallow = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
        return np.asarray(ImageCms.applyTransform(Pillow.fromarray(shallow), self.there))

    def from_srgb(self, pixels: Integers) -> Integers:
        """Turn sRGB, in the depth that `depth` says, into the picture's colors."""
        if pixels.dtype == np.uint16 and self.deep is not None:
            return self.deep.from_srgb(pixels)
        return np.array(ImageCms.applyTransform(Pillow.fromarray(pixels), self.back))


def colorspace(profile: bytes | None) -> ColorSpace | None:
    """Understand an ICC profile; none for sRGB, no profile, or one that cannot be read or is not of RGB."""
    if profile is None:
        return None
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        if own.profile.xcolor_space.strip() != "RGB" or is_srgb(profile):
            return None
        srgb, intent = ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC
        there = ImageCms.buildTransform(own, srgb, "RGB", "RGB", intent)
        return ColorSpace(there, ImageCms.buildTransform(srgb, own, "RGB", "RGB", intent), shaper(profile))
    except (OSError, ImageCms.PyCMSError):
        return None


def is_gray(profile: bytes | None) -> bool:
    """Say whether a profile is of gray, and can be understood."""
    return profile is not None and profile[16:20] == b"GRAY" and shaper(profile) is not None


def gray_to_srgb(pixels: Integers, profile: bytes) -> Integers:
    """Turn gray, of which there are three equal channels, into sRGB, by a profile for which `is_gray`."""
    known = shaper(profile)
    if known is None:
        return pixels
    if pixels.dtype == np.uint16:
        return known.to_srgb(pixels)
    table = known.to_srgb((np.arange(256, dtype=np.uint16) * 257)[:, None, None].repeat(3, axis=2))
    return np.rint(table[:, 0, 0] / 257).astype(np.uint8)[pixels]


def cmyk_to_srgb(picture: Pillow.Image) -> Pillow.Image:
    """Turn inks into light, by the picture's profile where it has one."""
    profile = picture.info.get("icc_profile")
    if profile is None:
        return picture.convert("RGB")
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        turned = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (OSError, ImageCms.PyCMSError):
        turned = None
    return picture.convert("RGB") if turned is None else turned
