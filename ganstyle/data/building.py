"""A folder that is made once, piece by piece, for all processes that want it, and goes on where one was killed."""

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ganstyle.data.locks import lock
from ganstyle.errors import DataError

log = logging.getLogger(__name__)
PLAN, DONE = "plan.json", "done"
WORKERS = max(2, min(16, os.cpu_count() or 2))
"""Threads; decoding, hashing and reading leave Python's lock to each other."""


@dataclass(frozen=True)
class Job:
    """How a folder is made."""

    title: str
    """What is made, for the progress bar: "caching 800 pictures"."""
    plan: Mapping[str, Any]
    """Plain values that say from what it is made; a folder of another plan is made anew."""
    begin: Callable[[Path], int]
    """Prepare the empty folder, and say in how many pieces it is made."""
    work: Callable[[Path, int], None]
    """Make one piece; called from several threads, and again for a piece during which the process was killed."""
    advice: str
    """What to do where the folder cannot be written: "give another data.cache"."""


def build(folder: Path, job: Job) -> None:
    """See to it that a folder is there, whole and made by this plan.

    Whoever comes first makes it in a hidden folder beside it, which is renamed in the end; others wait.

    Raises:
        DataError: it cannot be written.
    """
    if planned(folder) == job.plan:
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_name(f".{folder.name}.lock"), job.title):
            if planned(folder) != job.plan:
                half = folder.with_name(f".{folder.name}.half")
                _work(half, _begun(half, job), job)
                _put_in_place(half, folder)
    except OSError as error:
        raise DataError(f"{job.title} failed in {folder.parent}: {error.strerror or error}; {job.advice}.") from error


def planned(folder: Path) -> Any:
    """Return the plan by which a folder was made, or None."""
    try:
        return json.loads((folder / PLAN).read_text())["plan"]
    except (OSError, ValueError, KeyError):
        return None


@contextmanager
def locked(file: Path, what: str) -> Iterator[None]:
    """Be the only process that does something; the lock of a process that dies is free again.

    Raises:
        DataError: the file system has no locks.
    """
    with file.open("w") as handle:
        try:
            has_locks = lock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("%s: another process is at it; waiting for it to finish.", what)
            has_locks = lock(handle.fileno(), fcntl.LOCK_EX)
        if not has_locks:
            raise DataError(
                f"{what}: {file.parent} is on a file system without locks (flock), by which processes wait for each "
                "other; give data.cache (for an index, data.index) a folder on another."
            )
        yield


def _begun(half: Path, job: Job) -> int:
    """Take over what a killed process left behind, or begin; return the number of pieces."""
    if planned(half) != job.plan:
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        pieces = job.begin(half)
        (half / DONE).write_bytes(bytes(pieces))
        (half / f"{PLAN}.new").write_text(json.dumps({"plan": job.plan, "pieces": pieces}))
        (half / f"{PLAN}.new").replace(half / PLAN)
    return int(json.loads((half / PLAN).read_text())["pieces"])


def _work(half: Path, pieces: int, job: Job) -> None:
    """Make every piece that is not there, several at a time."""
    flags = (half / DONE).read_bytes()
    lacking = [piece for piece in range(pieces) if not flags[piece]]
    with (half / DONE).open("r+b") as done, _bar(job.title, pieces, pieces - len(lacking)) as advance:
        pool = ThreadPoolExecutor(WORKERS)
        try:
            for piece, _ in zip(lacking, pool.map(lambda piece: job.work(half, piece), lacking), strict=True):
                os.pwrite(done.fileno(), b"\1", piece)
                advance()
        finally:
            pool.shutdown(cancel_futures=True)


def _put_in_place(half: Path, folder: Path) -> None:
    """Make sure that everything is on disk, then let the folder appear at once."""
    for path in half.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    shutil.rmtree(folder, ignore_errors=True)
    half.rename(folder)


@contextmanager
def _bar(title: str, total: int, done: int) -> Iterator[Callable[[], None]]:
    """Show how far it is, where somebody may be looking."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total, completed=done)
        yield lambda: bar.advance(task)
