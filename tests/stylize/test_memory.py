"""What is taken without a word from the user, from what the system says of its memory."""

import os
from pathlib import Path

import pytest

from ganstyle.stylize import memory
from ganstyle.stylize.memory import default_memory, free_memory


def say(monkeypatch: pytest.MonkeyPatch, folder: Path, **files: str) -> None:
    """Have the system say what files with these names hold."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    monkeypatch.setattr(memory, "MEMINFO", folder / "meminfo")
    monkeypatch.setattr(memory, "GROUP", folder)


MEMINFO = "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n"


def test_a_quarter_of_what_is_available_is_taken_in_tens_of_megabytes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    say(monkeypatch, tmp_path, meminfo=MEMINFO)
    assert free_memory() == 8_192_000_000
    assert default_memory() == 2_040_000_000


@pytest.mark.parametrize(
    ("most", "taken", "free"),
    [
        ("1000000000\n", "200000000\n", 800_000_000),
        ("1000000000\n", "1000000001\n", 0),
        ("max\n", "200000000\n", 8_192_000_000),
        ("99000000000\n", "200000000\n", 8_192_000_000),
    ],
)
def test_a_control_group_leaves_what_is_under_its_limit(
    most: str, taken: str, free: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    say(monkeypatch, tmp_path, meminfo=MEMINFO, memory_max=most, memory_current=taken)
    assert free_memory() == free
    assert default_memory() == max(10_000_000, free // 4 // 10_000_000 * 10_000_000)


def test_files_that_are_kept_in_memory_count_as_free(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stat = "anon 200000000\nactive_file 300000000\ninactive_file 400000000\n"
    say(monkeypatch, tmp_path, meminfo=MEMINFO, memory_max="1000000000", memory_current="990000000", memory_stat=stat)
    assert free_memory() == 710_000_000


def test_half_of_the_memory_counts_as_free_where_the_system_does_not_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    say(monkeypatch, tmp_path, meminfo="MemTotal: 16000000 kB\n")
    assert free_memory() == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
