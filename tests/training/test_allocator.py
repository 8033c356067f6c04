"""Run in processes of their own, since the C library keeps what it was told."""

import os
import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from ganstyle.training.allocator import keep_freed_memory
keep_freed_memory()
sizes = [2**24] * 8
def use():
    blocks = [bytearray(size) for size in sizes]
use(), use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
PAGES = 8 * 2**24 // 4096

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")


def faults(**settings: str) -> int:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")} | settings
    done = subprocess.run([sys.executable, "-c", FAULTS], env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_memory_that_was_freed_is_not_faulted_in_again() -> None:
    assert faults() < PAGES / 100


def test_a_users_own_settings_are_left_alone() -> None:
    assert faults(MALLOC_MMAP_THRESHOLD_="65536") > PAGES / 2
