"""What is seen of a process from outside, and how strips are compared with the whole."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import large_picture
from ganstyle.nn.light import Light

HOLDS = """
import tempfile, time
memory = bytearray(60_000_000)
for place in range(0, len(memory), 4096): memory[place] = 1
with tempfile.TemporaryFile(dir={place!r}) as file:
    file.write(memory[:20_000_000]); file.flush()
    time.sleep(1)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks at processes as Linux shows them")
def test_memory_and_files_without_a_name_are_seen(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLDS.format(place=str(tmp_path))], text=True)
    seen = large_picture.watched(process)
    assert process.returncode == 0
    assert 60e6 < seen.memory < 200e6
    assert 20e6 <= seen.disk < 21e6


def test_a_large_picture_is_of_mirrored_tiles() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    large = large_picture.tiled(pixels, 50, 40)
    assert large.shape == (50, 40, 3)
    np.testing.assert_array_equal(large[:, 18:34], large[:, 16:0:-1])


def test_strips_are_compared_with_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_picture, "SIDE", 96)
    monkeypatch.setattr(large_picture, "BUDGET", "2MB")
    monkeypatch.setattr(large_picture, "NETWORKS", {"light": lambda: Light(blocks=1, channels=8)})
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    monkeypatch.setattr(large_picture, "SMALL", 32)
    found = large_picture.likeness("light", large_picture.photograph(pixels).numpy())
    assert found["in_strips"]
    assert found["met"]
    assert 0 <= found["largest_difference"] < 1e-4
    assert found["memory_kept"] or found["taken_megabytes"] >= 2  # rounded


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="looks at processes as Linux shows them")
def test_what_is_held_for_a_while_is_seen() -> None:
    before = large_picture.reset()
    held = np.ones(4_000_000)
    del held
    assert 30e6 < large_picture.most() - before < 60e6
