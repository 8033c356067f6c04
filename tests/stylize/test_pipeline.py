"""Many pictures on their way at once: in order, one painted at a time, few in memory, failures told."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ganstyle.errors import ImageError
from ganstyle.stylize.pipeline import pipelined


class Workshop:
    """Counts what is between the first step and the last."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.held = self.most_held = 0
        self.painters: set[int] = set()
        self.written: list[str] = []

    def read(self, item: str) -> str:
        if item == "unreadable":
            raise ImageError("it cannot be read.")
        self._hold(1)
        return item

    def paint(self, read: str) -> str:
        self.painters.add(threading.get_ident())
        time.sleep(0.005)
        return read.upper()

    def write(self, item: str, painted: str) -> None:
        time.sleep(0.02)
        if item == "unwritable":
            raise OSError("the disk is full")
        self.written.append(painted)
        self._hold(-1)

    def _hold(self, change: int) -> None:
        with self.lock:
            self.held += change
            self.most_held = max(self.most_held, self.held)


def run(workshop: Workshop, items: list[str]) -> list[tuple[str, Exception | None]]:
    return list(pipelined(items, read=workshop.read, paint=workshop.paint, write=workshop.write))


def test_items_come_in_order_and_few_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    workshop = Workshop()
    items = [f"item {n}" for n in range(12)]
    assert run(workshop, items) == [(item, None) for item in items]
    assert workshop.written == [item.upper() for item in items]
    assert workshop.painters == {threading.get_ident()}
    assert 2 <= workshop.most_held <= 4


def test_a_failure_in_any_step_is_told_beside_its_item_and_stops_nothing() -> None:
    workshop = Workshop()
    found = run(workshop, ["a", "unreadable", "unwritable", "b"])
    assert [item for item, _ in found] == ["a", "unreadable", "unwritable", "b"]
    assert [type(error) for _, error in found] == [type(None), ImageError, OSError, type(None)]
    assert workshop.written == ["A", "B"]


def test_a_mistake_of_the_program_is_raised() -> None:
    workshop = Workshop()
    with pytest.raises(ZeroDivisionError):
        list(pipelined(["a", "b"], read=workshop.read, paint=lambda read: 1 / 0, write=lambda item, painted: None))


def test_nothing_is_done_with_nothing() -> None:
    assert run(Workshop(), []) == []


def test_reading_and_writing_go_on_while_one_is_painted() -> None:
    """Each step waits until the others are at work on their pictures, which none would be if they came in turns."""
    together = threading.Barrier(3, timeout=10)
    with ThreadPoolExecutor(1) as alone:
        done = alone.submit(
            lambda: list(
                pipelined(
                    ["0", "1", "2"],
                    read=lambda item: _met(together, item, "2"),
                    paint=lambda read: _met(together, read, "1"),
                    write=lambda item, painted: _met(together, item, "0") and None,
                )
            )
        )
        assert [error for _, error in done.result()] == [None, None, None]


def _met(together: threading.Barrier, item: str, at: str) -> str:
    if item == at:
        together.wait()
    return item
