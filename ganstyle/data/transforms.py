"""Augmentation by albumentations, drawn from a seed per image and the same for both images of a pair."""

import os
import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cv2

from ganstyle.data.pictures import by_short_side
from ganstyle.errors import ConfigError, unknown
from ganstyle.images import Pixels, resize

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it would call home when imported
import albumentations as A

LARGEST_SEED = 1 << 32
"""albumentations takes seeds below this."""


class Augmentation:
    """A random square window, perhaps mirrored, and whatever else the configuration names.

    The window's side is `crop` times a scale drawn from `scales` (as far as the picture reaches) and is shrunk to
    `crop` by area. `extra` maps names of albumentations to their arguments, e.g. {"ColorJitter": {"hue": 0.02}}.
    """

    def __init__(
        self,
        crop: int,
        *,
        scales: tuple[float, float] = (1.0, 1.0),
        flip: bool = True,
        extra: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        if crop < 1:
            raise ConfigError(f"data.crop must be a number of pixels, but is {crop}.")
        if not 1.0 <= scales[0] <= scales[1]:
            raise ConfigError(
                f"data.source_scales and data.target_scales must be 1 <= low <= high, but one is {list(scales)}."
            )
        self.crop, self.scales, self.flip = crop, scales, flip
        self.extra = tuple((name, tuple((arguments or {}).items())) for name, arguments in (extra or {}).items())
        for name, arguments in self.extra:
            _named(name, arguments)

    def __call__(self, seed: int, pixels: Pixels) -> Pixels:
        """Augment one picture, no side of which is shorter than `crop`."""
        return self._seeded(seed, pixels)(image=pixels)["image"]  # type: ignore[no-any-return]

    def both(self, seed: int, source: Pixels, target: Pixels) -> tuple[Pixels, Pixels]:
        """Augment the two pictures of a pair alike; they have one size."""
        augmented = self._seeded(seed, source)(image=source, target=target)
        return augmented["image"], augmented["target"]

    def _seeded(self, seed: int, pixels: Pixels) -> A.Compose:
        """Return the augmentation for a picture of this size, its draws settled by a seed."""
        short = min(pixels.shape[:2])
        low, high = (min(short, max(self.crop, round(self.crop * scale))) for scale in self.scales)
        compose = _compose(self.crop, low, high, self.flip, self.extra)
        compose.set_random_seed(seed % LARGEST_SEED)
        return compose


def framed(pixels: Pixels, side: int) -> Pixels:
    """Show a picture for judging: its short side brought to `side`, and the middle square of it."""
    height, width = pixels.shape[:2]
    tall, wide = by_short_side(height, width, short=side)
    whole = pixels if (tall, wide) == (height, width) else resize(pixels, tall, wide)
    top, left = (tall - side) // 2, (wide - side) // 2
    return whole[top : top + side, left : left + side]


@lru_cache(maxsize=512)
def _compose(crop: int, low: int, high: int, flip: bool, extra: tuple[Any, ...]) -> A.Compose:
    """Build the chain for windows of low to high pixels."""
    window: A.BasicTransform = A.RandomCrop(crop, crop)
    if high > crop:
        window = A.RandomSizedCrop((low, high), size=(crop, crop), interpolation=cv2.INTER_AREA)
    steps = [window, *([A.HorizontalFlip(p=0.5)] if flip else []), *(_named(*step) for step in extra)]
    return A.Compose(steps, additional_targets={"target": "image"})


def _named(name: str, arguments: tuple[tuple[str, Any], ...]) -> A.BasicTransform:
    """Build one albumentation by its name; raises ConfigError for a wrong name, argument or value."""
    kinds = {kind: thing for kind, thing in vars(A).items() if isinstance(thing, type)}
    if name not in kinds or not issubclass(kinds[name], A.BasicTransform):
        raise ConfigError(unknown("albumentation", name, kinds))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            return kinds[name](**{key: tuple(v) if isinstance(v, list) else v for key, v in arguments})
    except (TypeError, ValueError, UserWarning) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"data.augment.{name} cannot be built from {dict(arguments)}: {reason}.") from None
