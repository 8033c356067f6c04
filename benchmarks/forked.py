"""Work in a process that is forked from this one, so that what is imported here is paid for once."""

import os
import sys
import traceback
import warnings
from collections.abc import Callable


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
