"""Between the colors of a photograph's own profile and sRGB, which networks have learned from."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image as Pillow
from PIL import ImageCms

from ganstyle.decode import Integers

Rgb8 = UInt8[ndarray, "height width 3"]


@dataclass(frozen=True)
class ColorSpace:
    """A profile's colors, to sRGB and back, 8 bits deep; relative colorimetric."""

    there: ImageCms.ImageCmsTransform
    back: ImageCms.ImageCmsTransform

    def to_srgb(self, pixels: Integers) -> Rgb8:
        """Turn a picture's colors into sRGB."""
        shallow = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
        return np.asarray(ImageCms.applyTransform(Pillow.fromarray(shallow), self.there))

    def from_srgb(self, pixels: Rgb8) -> Rgb8:
        """Turn sRGB into the picture's colors."""
        return np.array(ImageCms.applyTransform(Pillow.fromarray(pixels), self.back))


def colorspace(profile: bytes | None) -> ColorSpace | None:
    """Understand an ICC profile; none for sRGB, no profile, or one that cannot be read or is not of RGB."""
    if profile is None:
        return None
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        if own.profile.xcolor_space.strip() != "RGB" or "sRGB" in ImageCms.getProfileDescription(own):
            return None
        srgb, intent = ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC
        there = ImageCms.buildTransform(own, srgb, "RGB", "RGB", intent)
        return ColorSpace(there, ImageCms.buildTransform(srgb, own, "RGB", "RGB", intent))
    except (OSError, ImageCms.PyCMSError):
        return None


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
