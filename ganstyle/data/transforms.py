"""Augmentation, drawn from a seed per image and the same for both images of a pair; more of it by albumentations."""

import os
import random
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ganstyle.data.pictures import by_short_side
from ganstyle.errors import ConfigError, unknown
from ganstyle.images import Pixels, resize
from ganstyle.values import number, one_of, whole

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it would call home when imported
import albumentations as A


def scales_of(key: str, scales: Sequence[int | float]) -> tuple[float, float]:
    """Take the least and the greatest scale from a value of the configuration, whose key the ConfigError names."""
    if not isinstance(scales, Sequence) or len(scales) != 2:
        raise ConfigError(f"{key} must be two numbers, 1 <= low <= high, but is {scales}.")
    low, high = (number(key, scale) for scale in scales)
    if not 1 <= low <= high:
        raise ConfigError(f"{key} must be two numbers, 1 <= low <= high, but is {list(scales)}.")
    return low, high


def check_sides(sides: Mapping[str, int | None]) -> None:
    """Refuse what is no whole number of pixels, by the names of keys of `data`; None leaves a size as it is."""
    for name, side in sides.items():
        if side is not None:
            whole(f"data.{name}", side, least=1)


class Augmentation:
    """A random square window, perhaps mirrored, and whatever else the configuration names.

    The window's side is `crop` times a scale drawn from `scales` (as far as the picture reaches) and is shrunk to
    `crop` by area; with `whole_scales` scales are whole numbers, each drawn as often as so many windows fit next to
    each other: a quarter as often at twice the scale. `extra` maps names of albumentations to their arguments, e.g.
    {"ColorJitter": {"hue": 0.02}}.
    """

    def __init__(
        self,
        crop: int,
        *,
        scales: tuple[float, float] = (1.0, 1.0),
        whole_scales: bool = False,
        flip: bool = True,
        extra: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        whole("data.crop", crop, least=1)
        scales_of("scales", scales)
        for key, choice in (("data.flip", flip), ("data.whole_scales", whole_scales)):
            one_of(key, choice, (True, False))
        self.crop, self.scales, self.whole_scales, self.flip = crop, scales, whole_scales, flip
        self.extra = tuple((name, tuple((arguments or {}).items())) for name, arguments in (extra or {}).items())
        for name, arguments in self.extra:
            _try_out(name, _named(name, arguments), crop)

    def __call__(self, seed: int, pixels: Pixels) -> Pixels:
        """Augment one picture, no side of which is shorter than `crop`."""
        cut = self._window(seed, pixels).of(pixels, self.crop)
        return self._more(seed)(image=cut.copy())["image"] if self.extra else cut

    def both(self, seed: int, source: Pixels, target: Pixels) -> tuple[Pixels, Pixels]:
        """Augment the two pictures of a pair alike; they have one size."""
        window = self._window(seed, source)
        first, second = window.of(source, self.crop), window.of(target, self.crop)
        if not self.extra:
            return first, second
        augmented = self._more(seed)(image=first.copy(), target=second.copy())
        return augmented["image"], augmented["target"]

    def _window(self, seed: int, pixels: Pixels) -> "Window":
        """Draw what is cut out of a picture of this size, every number on its own."""
        height, width = pixels.shape[:2]
        low, high = (min(height, width, max(self.crop, round(self.crop * scale))) for scale in self.scales)
        draw = random.Random(seed)
        side = self._side(draw, low, high)
        top, left = int((height - side + 1) * draw.random()), int((width - side + 1) * draw.random())
        return Window(top, left, side, self.flip and draw.random() < 0.5)

    def _side(self, draw: random.Random, low: int, high: int) -> int:
        if not self.whole_scales:
            return draw.randint(low, high) if high > low else low
        scales = range(-(-low // self.crop), high // self.crop + 1) or [1]
        (scale,) = draw.choices(scales, [1 / scale**2 for scale in scales])
        return scale * self.crop

    def _more(self, seed: int) -> A.Compose:
        """Return the further augmentations, all of which draw from one stream."""
        compose = _compose(self.extra)
        compose.set_random_state(np.random.default_rng(seed), random.Random(seed))
        return compose


class Window(NamedTuple):
    """A square part of a picture."""

    top: int
    left: int
    side: int
    mirrored: bool

    def of(self, pixels: Pixels, crop: int) -> Pixels:
        """Cut it out and shrink it, by area, to `crop` pixels a side."""
        cut = pixels[self.top : self.top + self.side, self.left : self.left + self.side]
        if self.side != crop:
            cut = resize(cut, crop, crop)
        return cut[:, ::-1] if self.mirrored else cut


def framed(pixels: Pixels, side: int) -> Pixels:
    """Show a picture for judging: its short side brought to `side`, and the middle square of it."""
    height, width = pixels.shape[:2]
    tall, wide = by_short_side(height, width, short=side)
    whole = pixels if (tall, wide) == (height, width) else resize(pixels, tall, wide)
    top, left = (tall - side) // 2, (wide - side) // 2
    return whole[top : top + side, left : left + side]


@lru_cache(maxsize=16)
def _compose(extra: tuple[Any, ...]) -> A.Compose:
    """Build the chain of further augmentations."""
    return A.Compose([_named(*step) for step in extra], additional_targets={"target": "image"})


def _try_out(name: str, transform: A.BasicTransform, crop: int) -> None:
    """Raise ConfigError for an albumentation that gives anything but RGB bytes, which [-1, 1] is made of afterwards."""
    transform.p = 1.0
    try:
        pixels = transform(image=np.zeros((crop, crop, 3), np.uint8))["image"]
    except Exception as error:  # albumentations' own errors have no common kind
        reason = " ".join(str(error).split())
        raise ConfigError(f"data.augment.{name} cannot be applied to {crop} x {crop} pixels: {reason}.") from None
    if pixels.dtype != np.uint8 or pixels.shape[2:] != (3,):
        raise ConfigError(
            f"data.augment.{name} gives {pixels.dtype} of shape {pixels.shape}, but pictures must stay RGB bytes; "
            "they are brought to [-1, 1] afterwards."
        )


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
