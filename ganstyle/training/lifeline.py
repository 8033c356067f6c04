"""Ranks that Lightning started on this machine end together, whatever the survivors are busy with.

A rank that waits for one that is gone is told so by the process group. One that computes, or waits for a group that
will never be complete, is not: it is ended here, after the time that the first kind needs to say what happened.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lightning_fabric.utilities.distributed import _set_num_threads_if_needed
from pytorch_lightning.strategies.launchers import _SubprocessScriptLauncher

from ganstyle.training import launcher

STARTER = "GANSTYLE_STARTER"
"""Environment variable: the number of the process that started this rank, which may be gone before this one looks."""
POLL = 0.5
"""Seconds between two looks."""
GRACE = 5.0
"""Seconds for a rank to end by itself."""
ADVICE = "go on with resume=last, from the last checkpoint."


class Launcher(_SubprocessScriptLauncher):
    """Lightning's launcher of one process per device, with a watch that speaks before it ends the others."""

    def launch(self, function: Callable[..., Any], *args: Any, trainer: Any = None, **options: Any) -> Any:
        """Start the other ranks, unless somebody else did, and call the function."""
        self.cluster_environment.validate_settings(num_devices=self.num_processes, num_nodes=self.num_nodes)
        if not self.cluster_environment.creates_processes_externally:
            os.environ[STARTER] = str(os.getpid())
            self._call_children_scripts()
            del os.environ[STARTER]
            threading.Thread(target=_watch_children, args=(self.procs,), daemon=True).start()
        _set_num_threads_if_needed(self.num_processes)
        return function(*args, **options)


@contextmanager
def tied_to_parent() -> Iterator[None]:
    """End this rank soon after the one that started it; ranks of another launcher are its own concern."""
    parent = int(os.environ.pop(STARTER, os.getppid()))
    is_child = "LOCAL_RANK" in os.environ and not (launcher.by_torchrun() or launcher.by_srun())
    done = threading.Event()
    if is_child and launcher.process_number() > 0:
        threading.Thread(target=_watch_parent, args=(parent, done), daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _watch_parent(parent: int, done: threading.Event) -> None:
    while os.getppid() == parent:
        if done.wait(POLL):
            return
    if not done.wait(GRACE):
        _end(f"the first process of this run is gone; {ADVICE}")


def _watch_children(children: "Sequence[subprocess.Popen[Any]]") -> None:
    while not (lost := [(rank, child) for rank, child in enumerate(children, 1) if child.poll()]):
        if all(child.returncode == 0 for child in children):
            return
        time.sleep(POLL)
    time.sleep(GRACE)
    for child in children:
        if child.poll() is None:
            child.kill()
    rank, child = lost[0]
    _end(f"process {rank} of this run ended ({_how(child.returncode)}); what it said stands above: {ADVICE}")


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _end(sentence: str) -> None:
    """End this process, which may be deep in a call that no exception reaches."""
    print(f"train.py: {sentence}", file=sys.stderr, flush=True)
    os._exit(2)
