"""Which student a factor asks for."""

import re
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import nn

from ganstyle.compress.costs import sizes_of
from ganstyle.compress.errors import CompressError
from ganstyle.compress.size import Size, size_of
from ganstyle.nn.light import Light
from ganstyle.nn.norms import without_norms

BLOCKS = range(2, 10)
CHANNELS = range(4, 260, 4)
"""In multiples that vector units and 8-bit kernels like."""
OPERATIONS, TIME = 0.8, 0.4
"""What N times fewer parameters should bring in multiply-adds and in time, as shares of N: 8 and 4 times for 10."""
EXTRAS: Mapping[str, Any] = {"upsampling": "nearest", "padding": "reflect", "color_skip": True, "image_skip": True}
"""What students have in common; docs/guides/compress.md says why."""


class Student(NamedTuple):
    """The network that will learn."""

    arguments: Mapping[str, Any]
    """Of Light."""
    size: Size


def factor_of(text: str) -> float:
    """Understand "10x", "10" or "2.5x". Raises CompressError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*x?\s*", text, re.IGNORECASE)
    if match is None or float(match[1]) <= 1:
        raise CompressError(f"--target {text} is not a factor above 1; write it as 10x.")
    return float(match[1])


def choose(teacher: nn.Module, factor: float) -> Student:
    """Choose the student with the most parameters that is smaller by the factor, and by 0.8 of it in multiply-adds.

    Raises CompressError when not even the smallest one is.
    """
    own = size_of(teacher)
    most = Size(int(own.parameters / factor), own.multiply_adds / (OPERATIONS * factor))
    norm = "none" if without_norms(teacher) else "affine_instance"  # a norm forgets the contrast that others keep
    extras = {**EXTRAS, "norm": norm}
    with torch.random.fork_rng(devices=[]):
        fitting = [student for blocks in BLOCKS if (student := _widest(blocks, most, extras))]
    if not fitting:
        smallest = size_of(Light(blocks=BLOCKS[0], channels=CHANNELS[0], **extras))
        possible = min(own.parameters / smallest.parameters, own.multiply_adds / smallest.multiply_adds / OPERATIONS)
        raise CompressError(
            f"no student is {factor:g} times smaller than this network of {own.parameters:,} parameters; "
            f"the smallest one allows --target {possible:.1f}x."
        )
    return max(fitting, key=lambda student: student.size)


def _widest(blocks: int, most: Size, extras: Mapping[str, Any]) -> Student | None:
    """The widest student of so many blocks that is small enough, if there is one."""
    narrow = Light(blocks=blocks, channels=CHANNELS[0], **extras)
    sizes = sizes_of(narrow)
    found = [
        sizes({name: width // CHANNELS[0] * channels for name, width in narrow.widths.items()}) for channels in CHANNELS
    ]
    count = bisect_left(found, True, key=lambda size: any(own > limit for own, limit in zip(size, most, strict=True)))
    return Student({"blocks": blocks, "channels": CHANNELS[count - 1], **extras}, found[count - 1]) if count else None
