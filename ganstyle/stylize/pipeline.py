"""Many pictures, one after the other: while one is painted, the next is read and the last is written."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from ganstyle.backends.model import threads
from ganstyle.errors import GanstyleError

Item = TypeVar("Item")
Read = TypeVar("Read")
Painted = TypeVar("Painted")

FAILURES = (GanstyleError, OSError, MemoryError)
"""What goes wrong with one picture and does not stop the others."""
MOST_WRITERS = 4


def pipelined(
    items: Sequence[Item],
    *,
    read: Callable[[Item], Read],
    paint: Callable[[Read], Painted],
    write: Callable[[Item, Painted], None],
) -> Iterator[tuple[Item, Exception | None]]:
    """Read, paint and write every item; yields the items in their order, each with what went wrong, if anything.

    `paint` runs in the calling thread, the others beside it. In memory are at most one picture that is painted, one
    that was read, and for each two processors one that is written. An error that is none of FAILURES is raised.
    """
    writers = max(1, min(MOST_WRITERS, threads() // 2))
    behind: deque[tuple[Item, Future[None]]] = deque()
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(writers) as writer:

        def begun(item: Item, coming: Future[Read]) -> Future[None]:
            try:
                painted = paint(coming.result())
            except FAILURES as error:
                return _failed(error)
            return writer.submit(write, item, painted)

        ahead = deque(reader.submit(read, item) for item in items[:1])
        for number, item in enumerate(items):
            ahead.extend(reader.submit(read, following) for following in items[number + 1 : number + 2])
            behind.append((item, begun(item, ahead.popleft())))
            if len(behind) > writers:
                yield _ended(*behind.popleft())
        while behind:
            yield _ended(*behind.popleft())


def _failed(error: Exception) -> Future[None]:
    future: Future[None] = Future()
    future.set_exception(error)
    return future


def _ended(item: Item, future: Future[None]) -> tuple[Item, Exception | None]:
    """Wait until an item is written."""
    try:
        future.result()
    except FAILURES as error:
        return item, error
    return item, None
