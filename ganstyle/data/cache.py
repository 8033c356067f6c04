"""Pictures brought to their size once, as plain bytes in one memory-mapped file that all processes share."""

import errno
import fcntl
import json
import logging
import math
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any

import numpy as np

from ganstyle.data.building import Job, build, locked, planned
from ganstyle.data.files import Files
from ganstyle.data.sized import DECODER, sized
from ganstyle.errors import ConfigError, DataError, ImageError
from ganstyle.images import Pixels

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
        if isinstance(gibibytes, bool) or not isinstance(gibibytes, int | float) or not gibibytes > 0:
            raise ConfigError(f"data.cache_limit must be a number of GiB above 0, but is {gibibytes!r}.")
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
        self._user = _User(self.folder / USED)


class _User:
    """Holds a shared lock as long as somebody knows it, so that a cache in use is not removed."""

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY)
        fcntl.flock(self.number, fcntl.LOCK_SH)
        os.utime(path)

    def __del__(self) -> None:
        os.close(self.number)


def cached(files: Files, fit: Callable[[int, int], tuple[int, int]], keeping: Keeping, *, lenient: bool) -> Cache:
    """Open the cache of a collection, and build it first where it is not there.

    It is known by the content of the files, their order and size in memory, and how they are decoded. Several runs may
    ask for it at a time: one builds, the others wait. To stay below the limit, caches that nobody uses go, the longest
    unused first; then as many pictures as fit are kept.

    Raises:
        ImageError: a picture is damaged and the collection is not `lenient`.
        DataError: the folder cannot be written, or its disk is full.
    """
    plan = {"format": 1, "files": files.identity(), "count": len(files), "fit": _worded(fit), "decoder": DECODER}
    folder = keeping.folder / blake2b(json.dumps(plan).encode(), digest_size=8).hexdigest()
    job = Job(
        f"caching {len(files):,} pictures",
        plan,
        partial(_begin, files, fit, keeping),
        partial(_fill, files, lenient),
        "free some space, lower data.cache_limit, or give another data.cache",
    )
    for _ in range(3):
        build(folder, job)
        with locked(keeping.folder / ".lock", "opening the cache"):
            if planned(folder) == plan:
                return Cache(folder)
    raise DataError(f"{keeping.folder} is emptied as fast as it is filled; raise data.cache_limit.")


def _worded(fit: Any) -> str:
    """Name the rule by which a picture gets its size."""
    if isinstance(fit, partial):
        return f"{fit.func.__module__}.{fit.func.__name__}{sorted(fit.keywords.items())}"
    return f"{fit.__module__}.{fit.__qualname__}"


def _begin(files: Files, fit: Callable[[int, int], tuple[int, int]], keeping: Keeping, half: Path) -> int:
    """Lay out the file of pixels: what is where, and how much of it there is room for."""
    sizes = np.array([fit(*files.size(number)) for number in range(len(files))], np.int32).reshape(-1, 2)
    ends = np.cumsum(3 * sizes[:, 0].astype(np.int64) * sizes[:, 1])
    with locked(keeping.folder / ".lock", "making room in the cache"):
        room = keeping.limit - _make_room(keeping, half, int(ends[-1]))
    count = int(np.searchsorted(ends, room, side="right"))
    if count < len(sizes):
        log.warning(
            "%d of %d pictures fit into data.cache_limit=%.3g GiB (all would take %.3g GiB); the others are decoded at "
            "every use.",
            *(count, len(sizes), keeping.limit / GIB, ends[-1] / GIB),
        )
    total = int(ends[count - 1]) if count else 0
    _refuse_full_disk(keeping.folder, total)
    np.save(half / OFFSETS, np.concatenate([[0], ends[: max(0, count - 1)]]))
    np.save(half / SIZES, sizes[:count])
    np.save(half / KEPT, np.zeros(count, np.uint8))
    (half / USED).touch()
    with (half / PIXELS).open("wb") as file:
        file.truncate(total)
    return math.ceil(count / AT_ONCE)


def _fill(files: Files, lenient: bool, half: Path, piece: int) -> None:
    """Decode and write a few pictures."""
    offsets, sizes = np.load(half / OFFSETS, mmap_mode="r"), np.load(half / SIZES, mmap_mode="r")
    kept = np.load(half / KEPT, mmap_mode="r+")
    with (half / PIXELS).open("r+b") as file:
        for number in range(piece * AT_ONCE, min((piece + 1) * AT_ONCE, len(sizes))):
            height, width = sizes[number].tolist()
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
    """Remove caches that nobody uses, the longest unused first, until there is room; return what others take."""
    others = [path for path in keeping.folder.iterdir() if (path / PIXELS).is_file() and path != half]
    taken = {path: (path / PIXELS).stat().st_size for path in others}
    for path in sorted(others, key=lambda path: (path / USED).stat().st_mtime if (path / USED).exists() else 0.0):
        if sum(taken.values()) + wanted <= keeping.limit:
            break
        if not path.name.startswith(".") and _is_unused(path):
            log.info("the cache %s gives way to another one (data.cache_limit).", path)
            shutil.rmtree(path, ignore_errors=True)
            del taken[path]
    return sum(taken.values())


def _is_unused(folder: Path) -> bool:
    with (folder / USED).open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _refuse_full_disk(folder: Path, total: int) -> None:
    free = shutil.disk_usage(folder).free
    if total > free:
        raise OSError(
            errno.ENOSPC,
            f"it needs {total / GIB:.3g} GiB and {free / GIB:.3g} are free",
        )
