import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from data.pictures import fill, save

from ganstyle.data import building
from ganstyle.data import cache as caching
from ganstyle.data.building import DONE
from ganstyle.data.cache import GIB, PIXELS, Cache, Keeping, cached
from ganstyle.data.files import PathFiles
from ganstyle.data.folders import pictures_in
from ganstyle.data.pictures import by_short_side
from ganstyle.data.sized import sized
from ganstyle.errors import ConfigError, DataError, ImageError

FIT = partial(by_short_side, short=20, least=16)
BYTES = 3 * 20 * 24
"""Of a picture of 40 x 48 pixels at 20 x 24."""


def opened(folder: Path, at: Path, limit: int = GIB, lenient: bool = False) -> Cache:
    return cached(PathFiles(pictures_in(folder)), FIT, Keeping(at, limit), lenient=lenient)


def direct(path: Path) -> np.ndarray:
    return sized(path.read_bytes(), str(path), 20, 24)


def test_a_cached_picture_is_the_picture_to_the_bit(tmp_path: Path) -> None:
    folder = fill(tmp_path / "pictures", 40)
    cache = opened(folder, tmp_path / "cache")
    copy = pickle.loads(pickle.dumps(cache))
    for number, path in enumerate(pictures_in(folder)):
        assert (cache.get(number) == direct(path)).all()
        assert (copy.get(number) == direct(path)).all()
    assert cache.get(40) is None


def test_pixels_of_the_cache_cannot_be_written_to(tmp_path: Path) -> None:
    pixels = opened(fill(tmp_path / "pictures", 1), tmp_path / "cache").get(0)
    assert pixels is not None
    with pytest.raises(ValueError, match="read-only"):
        pixels[:] = 0


def test_it_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "pictures", 3)
    opened(folder, tmp_path / "cache")
    monkeypatch.setattr(caching, "sized", None)
    assert opened(folder, tmp_path / "cache").get(2) is not None


def test_another_content_or_size_gets_a_cache_of_its_own(tmp_path: Path) -> None:
    folder, at = fill(tmp_path / "pictures", 3), tmp_path / "cache"
    first = opened(folder, at)
    save(folder / "001.png", 77)
    second = opened(folder, at)
    larger = cached(PathFiles(pictures_in(folder)), partial(by_short_side, short=30), Keeping(at, GIB), lenient=False)
    assert len({first.folder, second.folder, larger.folder}) == 3
    assert (second.get(1) == direct(folder / "001.png")).all()
    assert not np.array_equal(first.get(1), second.get(1))  # type: ignore[arg-type]


def test_the_limit_keeps_a_part(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = fill(tmp_path / "pictures", 5)
    cache = opened(folder, tmp_path / "cache", limit=2 * BYTES + 5)
    assert [cache.get(number) is not None for number in range(5)] == [True, True, False, False, False]
    assert "2 of 5 pictures fit" in caplog.text
    assert (cache.folder / PIXELS).stat().st_size == 2 * BYTES


def test_a_raised_limit_keeps_more_and_the_same_one_does_nothing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, made = fill(tmp_path / "pictures", 5), []
    monkeypatch.setattr(caching, "sized", lambda *arguments: made.append(arguments[1]) or sized(*arguments))
    for limit, kept, decoded in ((2, 2, 2), (2, 2, 0), (4, 4, 4), (9, 5, 5), (9, 5, 0)):
        made.clear()
        cache = opened(folder, tmp_path / "cache", limit * BYTES + 5)
        assert sum(cache.get(number) is not None for number in range(5)) == kept
        assert len(made) == decoded
        del cache


def test_a_lowered_limit_is_kept_as_soon_as_nobody_uses_the_cache(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, at = fill(tmp_path / "pictures", 5), tmp_path / "cache"
    whole = opened(folder, at)
    assert opened(folder, at, limit=3 * BYTES).get(4) is not None
    assert "is larger than data.cache_limit, and stays: another run uses it." in caplog.text
    del whole
    part = opened(folder, at, limit=3 * BYTES)
    assert [part.get(number) is not None for number in range(5)] == [True, True, True, False, False]


@pytest.mark.parametrize("name", [PIXELS, "offsets.npy", "sizes.npy", "kept.npy", "used"])
def test_a_damaged_cache_is_told(tmp_path: Path, name: str) -> None:
    folder, at = fill(tmp_path / "pictures", 5), tmp_path / "cache"
    opened(folder, at)
    (file,) = at.glob(f"*/{name}")
    if name == "used":
        file.unlink()
    else:
        os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(DataError, match=r"^the cache .* is damaged \(.*\); remove it, and it is made anew\.$"):
        opened(folder, at)


def test_a_cache_of_a_part_says_so_whenever_it_is_opened(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = fill(tmp_path / "pictures", 5)
    for limit in (2, 2, 9):
        caplog.clear()
        cache = opened(folder, tmp_path / "cache", limit * BYTES)
        assert "holds 2 of 5 pictures" in caplog.text, "in use, it is not built anew"
    assert cache.get(2) is None


def test_what_nobody_uses_gives_way_and_what_is_used_stays(tmp_path: Path) -> None:
    at, limit = tmp_path / "cache", 5 * BYTES
    old = opened(fill(tmp_path / "old", 2), at, limit).folder
    used = opened(fill(tmp_path / "used", 2, 10), at, limit)
    newest = opened(fill(tmp_path / "new", 3, 20), at, limit)
    assert not old.exists()
    assert used.folder.exists()
    assert newest.get(2) is not None
    fourth = opened(fill(tmp_path / "fourth", 1, 30), at, limit)
    assert fourth.get(0) is None, "everything is in use"


def test_a_damaged_picture_is_named_or_left_to_whoever_asks_for_it(tmp_path: Path) -> None:
    folder = fill(tmp_path / "pictures", 3)
    (folder / "001.png").unlink()
    save(folder / "001.jpg", 1).write_bytes((folder / "001.jpg").read_bytes()[:-200])
    with pytest.raises(ImageError, match=r"001\.jpg is damaged"):
        opened(folder, tmp_path / "cache")
    cache = opened(folder, tmp_path / "cache", lenient=True)
    assert [cache.get(number) is not None for number in range(3)] == [True, False, True]


def test_a_file_system_without_locks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "lock", lambda file, how: False)
    with pytest.raises(DataError, match=r"^caching 3 pictures: .* without locks \(flock\), .* give data.cache "):
        opened(fill(tmp_path / "pictures", 3), tmp_path / "cache")


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = type("Usage", (), {"free": 100})
    monkeypatch.setattr(caching.shutil, "disk_usage", lambda folder: full)
    with pytest.raises(
        DataError, match=r"caching 3 pictures failed .* are free; free some space, lower data\.cache_limit"
    ):
        opened(fill(tmp_path / "pictures", 3), tmp_path / "cache")


@pytest.mark.parametrize("limit", [0, -1, True, "much", float("inf"), float("nan")])
def test_a_limit_that_is_none_is_refused(limit: object) -> None:
    with pytest.raises(ConfigError, match=r"data\.cache_limit must be a number of GiB above 0"):
        Keeping.of("cache", limit)


def test_a_cache_without_a_folder_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"data\.cache is a folder"):
        Keeping.of("", 1)


def test_several_that_ask_at_once_get_one_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, made, got = fill(tmp_path / "pictures", 20), [], []
    monkeypatch.setattr(caching, "sized", lambda *arguments: made.append(arguments[1]) or sized(*arguments))
    crowd = [threading.Thread(target=lambda: got.append(opened(folder, tmp_path / "cache"))) for _ in range(4)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    assert len(made) == 20
    assert len({cache.folder for cache in got}) == 1
    assert len(got) == 4


def abandoned(folder: Path, at: Path, limit: int) -> Path:
    """Begin a cache whose build ends early, and return what it leaves behind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(caching, "sized", None)
        with pytest.raises(TypeError):
            opened(folder, at, limit)
    return next(at.glob(".*.half"))


def test_what_a_killed_build_left_gives_way_to_another_collection(tmp_path: Path) -> None:
    at, limit = tmp_path / "cache", 4 * BYTES
    half = abandoned(fill(tmp_path / "old", 3), at, limit)
    assert opened(fill(tmp_path / "small", 1, 10), at, limit).get(0) is not None
    assert half.exists(), "there was room"
    assert opened(fill(tmp_path / "new", 3, 20), at, limit).get(2) is not None
    assert not half.exists()


def test_what_is_being_built_does_not_give_way(tmp_path: Path) -> None:
    at, limit = tmp_path / "cache", 4 * BYTES
    half = abandoned(fill(tmp_path / "old", 3), at, limit)
    with building.locked(half.with_suffix(".lock"), "building"):
        cache = opened(fill(tmp_path / "new", 3, 20), at, limit)
    assert half.exists()
    assert [cache.get(number) is not None for number in range(3)] == [True, False, False]


def test_two_that_build_at_once_do_not_take_the_same_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [fill(tmp_path / str(start), 3, start) for start in (0, 10)]
    at, limit, got, both = tmp_path / "cache", 4 * BYTES, [], threading.Barrier(2, timeout=1)
    usage = caching.shutil.disk_usage

    def met(folder: Path) -> object:
        with suppress(threading.BrokenBarrierError):
            both.wait()
        return usage(folder)

    monkeypatch.setattr(caching.shutil, "disk_usage", met)
    pair = [threading.Thread(target=lambda folder=folder: got.append(opened(folder, at, limit))) for folder in folders]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    assert len(got) == 2
    assert sum(path.stat().st_size for path in at.glob(f"*/{PIXELS}")) <= limit


KILLED = """
import os, signal, sys
from pathlib import Path
from ganstyle.data import cache, building
from ganstyle.data.files import PathFiles
from ganstyle.data.folders import pictures_in
from ganstyle.data.pictures import by_short_side
from functools import partial
building.WORKERS = 1
real, seen = cache.sized, []
def counted(*arguments):
    seen.append(1)
    if len(seen) == 40:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)
cache.sized = counted
fit = partial(by_short_side, short=20, least=16)
cache.cached(PathFiles(pictures_in(Path(sys.argv[1]))), fit, cache.Keeping(Path(sys.argv[2]), 1 << 30), lenient=False)
"""


@pytest.mark.slow
def test_a_killed_build_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, at = fill(tmp_path / "pictures", 60), tmp_path / "cache"
    ended = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(at)], check=False, env=os.environ.copy())
    assert ended.returncode == -signal.SIGKILL
    half = next(at.glob(".*.half"))
    done = sum((half / DONE).read_bytes())
    assert 1 <= done < json.loads((half / "plan.json").read_text())["pieces"]
    again: list[str] = []
    monkeypatch.setattr(caching, "sized", lambda *arguments: again.append(arguments[1]) or sized(*arguments))
    cache = opened(folder, at)
    assert len(again) == 60 - 16 * done
    for number, path in enumerate(pictures_in(folder)):
        assert (cache.get(number) == direct(path)).all()
