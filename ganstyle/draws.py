"""Randomness that depends on names and numbers only, never on what was drawn before.

A draw made for image number n of a run is the same whichever worker, rank or resumed process makes it.
"""

from hashlib import blake2b

import torch


def seed_of(*parts: int | str) -> int:
    """Mix names and numbers into one seed in [0, 2**63), the same on every machine."""
    digest = blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator_of(*parts: int | str) -> torch.Generator:
    """Return a CPU generator seeded by names and numbers."""
    return torch.Generator().manual_seed(seed_of(*parts))
