"""Pictures that become unreadable in the middle of a run: tried again, then left out within a budget, or its end."""

import logging
import time
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable

from ganstyle.data.left_out import Record
from ganstyle.errors import ConfigError, DataError, suggestion

log = logging.getLogger(__name__)
STOP, SKIP = "stop", "skip"
RETRIES = 2
WAIT = 0.5
"""Seconds before the first retry; each further one waits twice as long."""
SHARE = 0.01
"""Of a collection that may be left out; one item may always."""
Item = TypeVar("Item", covariant=True)


@runtime_checkable
class Numbered(Protocol[Item]):
    """Items by number, each of which may fail with a DataError that names its file."""

    def __len__(self) -> int:
        """Count the items."""

    def __getitem__(self, number: int) -> Item:
        """Return an item."""


class Tolerant(Generic[Item]):
    """A collection, some files of which may become unreadable.

    An item that fails is asked for `RETRIES` times more. Then `stop` ends the run with its name, and `skip` takes the
    next item that can be read in its place and says so once. What stands in depends on nothing but which items fail.
    The budget is one process's own until `write_down` names a file that all processes of a run share.

    Raises:
        ConfigError: `action` is neither stop nor skip.
    """

    def __init__(self, items: Numbered[Item], action: str) -> None:
        check_action(action)
        self.items, self.action = items, action
        self.budget = max(1, int(SHARE * len(items)))
        self._bad: dict[int, DataError] = {}
        self._record: Record | None = None

    def write_down(self, file: Path, name: str) -> None:
        """Count what is left out in a file, together with all others who give the same file and name."""
        self._record = Record(file, name)

    def __len__(self) -> int:
        """Count the items, with those that cannot be read."""
        return len(self.items)

    def __getitem__(self, number: int) -> Item:
        """Return an item, or what stands in for it.

        Raises:
            DataError: it cannot be read, and the run is to stop then; or more cannot be read than may be left out.
        """
        for offset in range(len(self)):
            place = (number + offset) % len(self)
            try:
                return self._tried(place)
            except DataError as error:
                self._leave_out(place, error)
        raise DataError(f"none of {len(self)} pictures can be read; the last one tried: {self._bad[number]}")

    def _tried(self, number: int) -> Item:
        """Ask for an item, and again while it fails; one that failed before is asked for once."""
        for attempt in range(0 if number in self._bad else RETRIES):
            try:
                return self.items[number]
            except DataError:
                time.sleep(WAIT * 2**attempt)
        return self.items[number]

    def _leave_out(self, number: int, error: DataError) -> None:
        if self.action == STOP:
            raise error
        if number in self._bad:
            return
        self._bad[number] = error
        is_new, count = self._record.add(number, str(error)) if self._record else (True, len(self._bad))
        if count > self.budget:
            raise DataError(
                f"{count} of {len(self)} pictures can no longer be read, and data.on_bad_image=skip leaves "
                f"out {self.budget} at most; the last one: {error}"
            )
        if is_new:
            log.warning("%s The next picture takes its place (%d left out so far).", error, count)


def check_action(action: str) -> None:
    """Refuse what `data.on_bad_image` cannot be."""
    if action not in (STOP, SKIP):
        raise ConfigError(f"data.on_bad_image cannot be {action!r}{suggestion(str(action), (STOP, SKIP))}")
