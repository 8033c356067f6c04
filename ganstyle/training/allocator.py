"""Memory that a training step gives back is kept for the next one."""

import ctypes
import os

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Parameters of `mallopt`, as glibc's malloc.h numbers them."""
LARGEST_THRESHOLD = 32 * 2**20
"""The most bytes that glibc takes for MMAP_THRESHOLD; larger blocks are mapped and unmapped every time."""
NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Have glibc keep what is freed, where it is the C library and no MALLOC_ variable says otherwise.

    Otherwise it returns hundreds of megabytes to the kernel in every step and faults them in again, page by page.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or any(name.startswith("MALLOC_") for name in os.environ):
        return
    mallopt(MMAP_THRESHOLD, LARGEST_THRESHOLD)
    mallopt(TRIM_THRESHOLD, NEVER)
