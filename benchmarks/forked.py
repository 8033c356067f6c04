"""Work in a process that is forked from this one, which pays once for what is imported here; when to kill it."""

import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator

HALVINGS = 5


def forked(work: Callable[[], int]) -> int:
    """Fork a process that does some work and ends with the exit code that it returns; return its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads (Python 3.12), which the child does without
        process = os.fork()
    if process:
        return process
    code = 1
    try:
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def aims(call: int, delay: float) -> Iterator[tuple[int, float]]:
    """Aim at seconds after the beginning of a call; then, while the process ends before that, ever nearer to it.

    A call may take less time than it took when it was measured, and there may be fewer of them.
    """
    yield from ((call, delay / 2**halvings) for halvings in range(HALVINGS + 1))
    yield 0, 0.0
