"""Which checkpoint a run goes on from: the last one, and the one before it where the last cannot be read."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganstyle.errors import CheckpointError
from ganstyle.training import checkpoint
from ganstyle.training.launcher import process_number

log = logging.getLogger(__name__)
LAST, PREVIOUS, NEXT = "last.ckpt", "previous.ckpt", "next.ckpt"


def advance(state: Mapping[str, Any], folder: Path) -> None:
    """Write `last.ckpt`; what it was before becomes `previous.ckpt`. At every moment one of the two is there, whole.

    Raises:
        CheckpointError: the disk is full; both are as they were.
    """
    checkpoint.save(state, folder / NEXT)
    if (folder / LAST).is_file():
        _keep(folder / LAST, folder / PREVIOUS)
    (folder / NEXT).replace(folder / LAST)
    checkpoint.sync_folder(folder)


def _keep(last: Path, previous: Path) -> None:
    """Give a file a second name, or the other name where the file system has no links."""
    link = previous.with_name(f".{previous.name}.link")
    link.unlink(missing_ok=True)
    try:
        os.link(last, link)
    except OSError:
        last.replace(previous)
    else:
        link.replace(previous)
        link.unlink(missing_ok=True)  # a rename between two names of one file does nothing


def newest(folder: Path) -> dict[str, Any] | None:
    """Load the newest checkpoint that can be read, or return None where there is none.

    A damaged one is set aside as `last.ckpt.damaged`, so that it never takes the place of the good one before it.

    Raises:
        UnreadableError: the newest one may be whole, but cannot be read now.
        CheckpointError: there are some, but none of them can be read.
    """
    last, previous = folder / LAST, folder / PREVIOUS
    if not last.is_file():
        return checkpoint.load(previous) if previous.is_file() else None
    try:
        return checkpoint.load(last)
    except checkpoint.UnreadableError:
        raise
    except CheckpointError as error:
        if not previous.is_file():
            raise
        state = checkpoint.load(previous)
        if process_number() == 0:
            log.warning("%s The run goes on from the one before it, at %d images.", error, state["images_seen"])
            last.replace(folder / f"{LAST}.damaged")
        return state


def forget_previous(folder: Path) -> None:
    """Remove the checkpoint before the last, which belongs to a course that was abandoned."""
    (folder / PREVIOUS).unlink(missing_ok=True)


def tidy(folder: Path) -> None:
    """Remove what a run that was killed while it wrote has left half done."""
    for path in [*folder.glob(".*.ckpt.*"), folder / NEXT]:
        path.unlink(missing_ok=True)
