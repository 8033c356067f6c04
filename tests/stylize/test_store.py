import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganstyle.stylize.maps import Moments, Shape
from ganstyle.stylize.sources import Given
from ganstyle.stylize.store import Ledger, OnDisk, RoomError, Scratch, Storeroom


@settings(max_examples=50)
@given(
    cuts=st.lists(st.integers(1, 19), max_size=4), level=st.sampled_from([0.0, 3.0, -200.0]), seed=st.integers(0, 99)
)
def test_moments_joined_over_strips_are_those_of_the_whole(cuts: list[int], level: float, seed: int) -> None:
    whole = torch.randn(3, 20, 7, generator=torch.Generator().manual_seed(seed)) + level
    ends = sorted({0, *cuts, 20})
    joined = None
    for first, last in pairwise(ends):
        part = Moments.of(whole[:, first:last])
        joined = part if joined is None else joined.joined(part)
    assert joined is not None
    pooled = whole.double().flatten(1)
    torch.testing.assert_close(joined.mean, pooled.mean(1), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(joined.variance, pooled.var(1, correction=0), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("memory", [0, 10**6])
def test_what_is_kept_comes_back(memory: int) -> None:
    image = torch.randn(3, 17, 5)
    room = Storeroom(torch.empty(0), 1, Ledger(memory))
    kept = room.keep(Given(image), measure=True)
    assert torch.equal(kept.read(0, 17), image)
    assert torch.equal(kept.read(3, 9), image[:, 3:9])
    kept.read(0, 17).zero_()
    assert torch.equal(kept.read(0, 17), image)


def test_rows_in_memory_never_exceed_the_ledger() -> None:
    image = Given(torch.zeros(3, 10, 10))
    ledger = Ledger(2000)
    room = Storeroom(torch.empty(0), 1, ledger)
    maps = [room.keep(image, measure=False) for _ in range(3)]
    assert (ledger.in_memory, ledger.on_disk) == (1200, 2400)
    del maps
    assert (ledger.in_memory, ledger.on_disk) == (0, 0)
    assert ledger.most_on_disk == 2400


def test_temporary_files_have_no_name_that_could_stay_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = Storeroom(torch.empty(0), 1, Ledger(0)).keep(Given(torch.zeros(3, 50, 50)), measure=False)
    assert isinstance(kept.rows, OnDisk)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    rows = OnDisk(Shape(3, 4, 4), Scratch(), torch.empty(0))
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(RoomError, match="No space left on device"):
        rows.write(0, torch.zeros(3, 4, 4))


@pytest.mark.skipif(
    not hasattr(os, "confstr") or "glibc" not in (os.confstr("CS_GNU_LIBC_VERSION") or ""), reason="glibc"
)
def test_freed_memory_goes_back_although_little_things_stay_between() -> None:
    """As strips and their moments do: each big piece is freed, and something small that was made after it is kept.

    In a process of its own, since another's free memory has holes that the pieces would fill.
    """
    found = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True, timeout=60)
    assert int(found.stdout) > 20_000_000


FREED = """
from pathlib import Path
from ganstyle.stylize.memory import give_back

def resident():
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) * 1024

pieces = [(bytearray(b"x" * 100_000), bytearray(1_000)) for _ in range(500)]
small = [little for _, little in pieces]
del pieces
before = resident()
give_back()
print(before - resident())
"""
