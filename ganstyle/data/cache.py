"""Pictures brought to their size once, as plain bytes in one memory-mapped file that all processes share."""

import errno
import fcntl
import json
import logging
import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any

import numpy as np

from ganstyle.data.building import Job, build, locked, planned
from ganstyle.data.files import Files, fitted
from ganstyle.data.locks import lock
from ganstyle.data.sized import DECODER, sized
from ganstyle.errors import ConfigError, DataError, ImageError
from ganstyle.images import Pixels
from ganstyle.values import INFINITE

log = logging.getLogger(__name__)
PIXELS, OFFSETS, SIZES, KEPT, USED = "pixels.bin", "offsets.npy", "sizes.npy", "kept.npy", "used"
AT_ONCE = 16
"""Pictures of one piece of work."""
GIB = 1 << 30


@dataclass(frozen=True)
class Keeping:
    """Where shrunk pictures are kept, and how many bytes of them."""

    folder: Path
    limit: int

    @classmethod
    def of(cls, folder: str | None, gibibytes: object) -> "Keeping | None":
        """Read `data.cache` and `data.cache_limit`; None keeps nothing."""
        if isinstance(gibibytes, bool) or not isinstance(gibibytes, int | float) or not 0 < gibibytes < INFINITE:
            raise ConfigError(f"data.cache_limit must be a number of GiB above 0, but is {gibibytes!r}.")
        if folder == "":
            raise ConfigError("data.cache is a folder to keep shrunk pictures in, or null for none, but got ''.")
        return None if folder is None else cls(Path(folder), round(gibibytes * GIB))


class Cache:
    """The shrunk pictures of one collection; those that did not fit below the limit are not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._map()

    def get(self, number: int) -> Pixels | None:
        """Return a picture's pixels, not to be written to, or None where it is not kept."""
        if number >= len(self._kept) or not self._kept[number]:
            return None
        start = int(self._offsets[number])
        height, width = self._sizes[number].tolist()
        return self._pixels[start : start + 3 * height * width].reshape(height, width, 3)

    def __getstate__(self) -> dict[str, Path]:
        """Send the folder to another process, which maps it for itself."""
        return {"folder": self.folder}

    def __setstate__(self, state: dict[str, Path]) -> None:
        """Map the file."""
        self.folder = state["folder"]
        self._map()

    def _map(self) -> None:
        columns = (np.load(self.folder / name, mmap_mode="r") for name in (OFFSETS, SIZES, KEPT))
        self._offsets, self._sizes, self._kept = (np.asarray(column) for column in columns)
        file = self.folder / PIXELS
        self._pixels = np.asarray(np.memmap(file, np.uint8, "r")) if file.stat().st_size else np.zeros(0, np.uint8)
        height, width = self._sizes[-1].tolist() if len(self._sizes) else (0, 0)
        if len(self._pixels) < self._offsets[-1] + 3 * height * width:
            raise ValueError(f"{PIXELS} is cut short")
        self._user = _User(self.folder / USED)


class _User:
    """Holds a shared lock as long as somebody knows it, so that a cache in use is not removed."""

    number = -1

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY)
        lock(self.number, fcntl.LOCK_SH)
        os.utime(path)

    def __del__(self) -> None:
        if self.number >= 0:
            os.close(self.number)


def cached(files: Files, fit: Callable[[int, int], tuple[int, int]], keeping: Keeping, *, lenient: bool) -> Cache:
    """Open the cache of a collection, and build it first where it is not there.

    It is known by the content of the files, their order and size in memory, and how they are decoded. Several runs may
    ask for it at a time: one builds, the others wait. To stay below the limit, caches that nobody uses go, the longest
    unused first; then as many pictures as fit are kept. A cache of a part is built anew when there is room for more,
    and one that has become too large for the limit when nobody uses it.

    Raises:
        ImageError: a picture is damaged or none, and the collection is not `lenient`.
        DataError: the folder cannot be written, its disk is full, or a file of the cache is damaged.
    """
    plan = {"format": 1, "files": files.identity(), "count": len(files), "fit": _worded(fit), "decoder": DECODER}
    folder = keeping.folder / blake2b(json.dumps(plan).encode(), digest_size=8).hexdigest()
    job = Job(
        f"caching {len(files):,} pictures",
        plan,
        partial(_begin, files, fit, keeping, lenient),
        partial(_fill, files, lenient),
        "free some space, lower data.cache_limit, or give another data.cache",
    )
    for attempt in range(3):
        build(folder, job)
        with locked(keeping.folder / ".lock", "opening the cache"):
            if planned(folder) == plan and not (attempt == 0 and _unfit(folder, files, fit, keeping, lenient)):
                return _opened(folder, files, keeping)
    raise DataError(f"{keeping.folder} is emptied as fast as it is filled; raise data.cache_limit.")


def _worded(fit: Any) -> str:
    """Name the rule by which a picture gets its size."""
    if isinstance(fit, partial):
        return f"{fit.func.__module__}.{fit.func.__name__}{sorted(fit.keywords.items())}"
    return f"{fit.__module__}.{fit.__qualname__}"


def _unfit(
    folder: Path, files: Files, fit: Callable[[int, int], tuple[int, int]], keeping: Keeping, lenient: bool
) -> bool:
    """Remove a cache that is too large, or of a part with room for more, if nobody uses it; say whether it went."""
    with _intact(folder):
        kept, size = _held(folder), (folder / PIXELS).stat().st_size
    if size > keeping.limit:
        if gone := _removed(folder):
            return gone
        log.warning("the cache %s is larger than data.cache_limit, and stays: another run uses it.", folder)
    if size > keeping.limit or kept == len(files):
        return False
    height, width = fitted(files, kept, fit, lenient=lenient)
    return size + 3 * height * width + sum(_taken(keeping, folder).values()) <= keeping.limit and _removed(folder)


@contextmanager
def _intact(folder: Path) -> Iterator[None]:
    """Put what a damaged file does into a sentence."""
    try:
        yield
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"the cache {folder} is damaged ({error}); remove it, and it is made anew.") from error


def _opened(folder: Path, files: Files, keeping: Keeping) -> Cache:
    """Open a cache, and say if it holds a part."""
    kept = _held(folder)
    if kept < len(files):
        log.warning(
            "the cache %s holds %d of %d pictures; the others are decoded at every use (data.cache_limit=%.3g GiB).",
            *(folder, kept, len(files), keeping.limit / GIB),
        )
    with _intact(folder):
        return Cache(folder)


def _held(folder: Path) -> int:
    """Count the pictures that a cache was laid out for."""
    return len(np.load(folder / KEPT, mmap_mode="r"))


def _begin(
    files: Files, fit: Callable[[int, int], tuple[int, int]], keeping: Keeping, lenient: bool, half: Path
) -> int:
    """Lay out the file of pixels: what is where, and how much of it there is room for."""
    fits = [fitted(files, number, fit, lenient=lenient) for number in range(len(files))]
    sizes = np.array(fits, np.int32).reshape(-1, 2)
    ends = np.cumsum(3 * sizes[:, 0].astype(np.int64) * sizes[:, 1])
    with locked(keeping.folder / ".lock", "making room in the cache"):
        room = keeping.limit - _make_room(keeping, half, int(ends[-1]))
        count = int(np.searchsorted(ends, room, side="right"))
        _take(half / PIXELS, int(ends[count - 1]) if count else 0)
    if count < len(sizes):
        log.warning(
            "%d of %d pictures fit into data.cache_limit=%.3g GiB (all would take %.3g GiB).",
            *(count, len(sizes), keeping.limit / GIB, ends[-1] / GIB),
        )
    np.save(half / OFFSETS, np.concatenate([[0], ends[: max(0, count - 1)]]))
    np.save(half / SIZES, sizes[:count])
    np.save(half / KEPT, np.zeros(count, np.uint8))
    (half / USED).touch()
    return math.ceil(count / AT_ONCE)


def _fill(files: Files, lenient: bool, half: Path, piece: int) -> None:
    """Decode and write a few pictures."""
    offsets, sizes = np.load(half / OFFSETS, mmap_mode="r"), np.load(half / SIZES, mmap_mode="r")
    kept = np.load(half / KEPT, mmap_mode="r+")
    with (half / PIXELS).open("r+b") as file:
        for number in range(piece * AT_ONCE, min((piece + 1) * AT_ONCE, len(sizes))):
            height, width = sizes[number].tolist()
            if not height:  # no picture when the file was laid out
                continue
            try:
                pixels = sized(files.content(number), files.name(number), height, width)
            except ImageError:
                if not lenient:
                    raise
                continue
            _write(file, pixels, int(offsets[number]))
            kept[number] = 1


def _write(file: IO[bytes], pixels: Pixels, offset: int) -> None:
    """Write pixels at their place, whole."""
    rest = memoryview(pixels.tobytes())
    while rest:
        written = os.pwrite(file.fileno(), rest, offset)
        rest, offset = rest[written:], offset + written


def _make_room(keeping: Keeping, half: Path, wanted: int) -> int:
    """Remove what nobody uses or builds, the longest unused first, until there is room; return what others take."""
    taken = _taken(keeping, half)
    for path in sorted(taken, key=lambda path: (path / USED).stat().st_mtime if (path / USED).exists() else 0.0):
        if sum(taken.values()) + wanted <= keeping.limit:
            break
        if _removed(path):
            log.info("the cache %s gives way to another one (data.cache_limit).", path)
            del taken[path]
    return sum(taken.values())


def _taken(keeping: Keeping, own: Path) -> dict[Path, int]:
    """Return the bytes of every cache but one's own, those that are being built among them."""
    others = [path for path in keeping.folder.iterdir() if (path / PIXELS).is_file() and path != own]
    return {path: (path / PIXELS).stat().st_size for path in others}


def _removed(folder: Path) -> bool:
    """Remove a cache that nobody uses, or what a killed build left behind, and say whether it went."""
    held = folder.with_suffix(".lock") if folder.name.startswith(".") else folder / USED
    with held.open("ab") as handle:
        try:
            is_free = lock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if not is_free or not folder.exists():  # its build may have ended meanwhile, and moved it to its place
            return False
        shutil.rmtree(folder, ignore_errors=True)
    return True


def _take(file: Path, total: int) -> None:
    """Make a file as large as its pixels, so that other builds see what it takes; refuses a full disk."""
    free = shutil.disk_usage(file.parent).free
    if total > free:
        raise OSError(
            errno.ENOSPC,
            f"it needs {total / GIB:.3g} GiB and {free / GIB:.3g} are free",
        )
    with file.open("wb") as handle:
        handle.truncate(total)
