"""A run that belongs to another process, such as a trial to its sweep, and never outlives it."""

import os
import signal
import threading
import time

OWNER = "GANSTYLE_OWNER"
"""Environment variable: the number of the process that started this one and waits for it."""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
"""At which a run saves and ends."""
PAUSE = 0.5
"""Seconds between two looks at the owner."""


def end_with_owner() -> None:
    """Send this process SIGTERM, at which a run saves and ends, as soon as the owner named by `OWNER` is gone.

    The owner is forgotten at once, so that ranks and loading processes, whose parent is this process, are left alone.
    """
    owner = os.environ.pop(OWNER, None)
    if owner is not None:
        threading.Thread(target=_watch, args=(int(owner),), daemon=True).start()


def _watch(owner: int) -> None:
    """A process whose parent dies is given to another one."""
    while os.getppid() == owner:
        time.sleep(PAUSE)
    os.kill(os.getpid(), signal.SIGTERM)
