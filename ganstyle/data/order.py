"""Shuffling without a list: where each picture comes in an epoch, in constant memory."""

import numpy as np
from jaxtyping import UInt64
from numpy import ndarray

from ganstyle.draws import seed_of

ROUNDS = 8
WORD = (1 << 64) - 1


def shuffled(position: int, size: int, *seed_parts: int | str) -> int:
    """Return what stands at a position of a seeded permutation of range(size).

    A Feistel network permutes the next power of four; walking its cycle until it lands below `size` restricts it to
    range(size) and keeps it a bijection (Black & Rogaway 2002, "cycle walking"). Nothing is stored, so that any
    position of any epoch is known at once, in every worker.

    Raises:
        ValueError: the position is not in range(size).
    """
    if not 0 <= position < size:
        raise ValueError(f"position {position} is not in range({size})")
    half = max(2, ((size - 1).bit_length() + 1) // 2)
    key = seed_of("order", size, *seed_parts)
    position = _permute(position, half, key)
    while position >= size:
        position = _permute(position, half, key)
    return position


def drawn(number: int, size: int, *seed_parts: int | str) -> int:
    """Return the index of item `number` of an endless run through range(size), shuffled anew in every epoch."""
    epoch, position = divmod(number, size)
    return shuffled(position, size, *seed_parts, epoch)


def _permute(value: int, half: int, key: int) -> int:
    """Permute the numbers of 2 x `half` bits by a Feistel network."""
    mask = (1 << half) - 1
    left, right = value >> half, value & mask
    for turn in range(ROUNDS):
        left, right = right, left ^ (_mix(right + key + turn * 0x9E3779B97F4A7C15) & mask)
    return (left << half) | right


def _mix(value: int) -> int:
    """Scramble 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    value &= WORD
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & WORD
    return value ^ (value >> 31)


def mixed(values: UInt64[ndarray, "count"], *seed_parts: int | str) -> UInt64[ndarray, "count"]:
    """Scramble 64-bit numbers by a key, all at once: a bijection, so that different ones stay different."""
    scrambled = values + np.uint64(seed_of("mixed", *seed_parts))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        scrambled ^= scrambled >> np.uint64(shift)
        scrambled *= np.uint64(factor)
    scrambled ^= scrambled >> np.uint64(31)
    return scrambled
