"""One trial of a sweep: `python train.py` in a process of its own, which never outlives the sweep."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any, Literal

from ganstyle.errors import DataError, TrainingError
from ganstyle.metrics.recorded import recorded
from ganstyle.training.folder import conf_folder, is_taken
from ganstyle.training.launcher import own_environment
from ganstyle.training.owned import OWNER, SIGNALS

POLL = 1.0
"""Seconds between two looks at a trial."""
GRACE = 300.0
"""Seconds that a process has to save and end; then it is killed."""
Ending = Literal["complete", "pruned", "failed", "interrupted"]
Points = Mapping[int, float]
"""Images seen -> score."""


@dataclass(frozen=True)
class Ended:
    """How a trial ended."""

    how: Ending
    score: float | None = None
    reason: str = ""
    """Of a failure, in one line."""


@dataclass(frozen=True)
class Order:
    """What a trial's process is to do."""

    words: tuple[str, ...]
    """Overrides."""
    folder: Path
    """Of the run."""
    log: Path
    """What it prints goes here."""
    score: str
    program: tuple[str, ...] = ()
    """What to start with the overrides; nothing means train.py."""
    environment: Mapping[str, str] | None = None


def train_program() -> tuple[str, ...]:
    """The command that trains: train.py of the checkout, or the same from an installed package."""
    script = conf_folder().parent / "train.py"
    if script.is_file():
        return sys.executable, str(script)
    return sys.executable, "-m", "ganstyle.training.main"


def run_in(folder: Path) -> tuple[str, str]:
    """Word the overrides that make a command train one run in a folder, whatever it is called."""
    quoted = str(folder).replace("'", r"\'").replace("${", r"\${")
    return f"hydra.run.dir='{quoted}'", "hydra.mode=RUN"


def start(order: Order) -> "subprocess.Popen[bytes]":
    """Start the process of a trial, or let it go on from its last checkpoint."""
    words = [*order.words, *run_in(order.folder)]
    if any((order.folder / "checkpoints").glob("*.ckpt")):
        words.append("resume=last")
    order.log.parent.mkdir(parents=True, exist_ok=True)
    with order.log.open("ab") as log:
        return begun(
            [*(order.program or train_program()), *words],
            order.folder,
            order.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def begun(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None, **streams: Any
) -> "subprocess.Popen[bytes]":
    """Start a process that trains in a folder, as a run of its own that ends when this process does."""
    told = {OWNER: str(os.getpid()), "GANSTYLE_RUN_ID": folder.name}
    environment = own_environment() | dict(environment or {}) | told
    return subprocess.Popen(command, env=environment, start_new_session=True, **streams)  # Ctrl-C is for this one


def awaited(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a process, pass signals on to it, and return its exit code: 128 + n if signal n killed it."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            process.send_signal(number)

    is_main = threading.current_thread() is threading.main_thread()  # no other may ask for signals
    before = {number: signal.signal(number, pass_on) for number in SIGNALS} if is_main else {}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def attend(
    order: Order,
    process: "subprocess.Popen[bytes]",
    stop: Event,
    look: Callable[[Points], bool],
    poll: float = POLL,
) -> Ended:
    """Wait for a trial, and show `look` its scores as they come; it says whether to end the trial early.

    Args:
        order: what the process does.
        process: the running trial.
        stop: ends the trial after it has saved.
        look: is given every score seen so far, again and again.
        poll: seconds between two looks.
    """
    pruned, before = False, dict[int, float]()
    while process.poll() is None and not stop.is_set() and not pruned:
        now = points(order)
        pruned = look({images: value for images, value in now.items() if before.get(images) == value})
        before = now  # a row is believed when it was read twice: it may have been half written
        stop.wait(poll)
    early = process.poll() is None
    if early:
        end(process)
    elif process.returncode == 0:
        look(points(order))
        return _complete(order)
    if early and pruned:
        return Ended("pruned")
    if early or stop.is_set():
        return Ended("interrupted")
    return Ended("failed", reason=_reason(order, process.returncode))


def end(process: "subprocess.Popen[bytes]", grace: float = GRACE) -> None:
    """Let a process save and end; kill it, with its own processes, when that takes too long."""
    process.terminate()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def await_free(folder: Path, left: int | None, grace: float = GRACE) -> None:
    """Wait until nobody writes in a run's folder any more; kill what a dead sweep left running there.

    Args:
        folder: of the run.
        left: number of the process that may still train there, if it runs on this machine.
        grace: seconds that it has to save and end.

    Raises:
        TrainingError: the folder stays taken.
    """
    until = time.monotonic() + grace
    while is_taken(folder):
        if time.monotonic() > until:
            if left is None or not _trains(left, folder):
                raise TrainingError(f"another run is writing in {folder}; stop it, and start the sweep again.")
            os.killpg(left, signal.SIGKILL)
            left = None
            until = time.monotonic() + grace
        time.sleep(0.2)


def _trains(process: int, folder: Path) -> bool:
    """Whether a process is the one that was started for this folder, and no other that has its number now."""
    told = subprocess.run(["ps", "-o", "command=", "-p", str(process)], capture_output=True, text=True, check=False)
    return str(folder) in told.stdout


def points(order: Order) -> dict[int, float]:
    """Read what the run has scored so far, by images seen."""
    try:
        curve = recorded(order.folder).curves.get(order.score)
    except DataError:  # nothing was written yet
        return {}
    return {} if curve is None else {int(x): y for x, y in zip(curve.images, curve.values, strict=True)}


def _complete(order: Order) -> Ended:
    try:
        scores = json.loads((order.folder / "metrics.json").read_text(encoding="utf-8"))["validation"]
        score = scores[order.score]
    except (OSError, ValueError, KeyError):
        return Ended("failed", reason=f"the run ended without the score {order.score}")
    if not isinstance(score, int | float) or not math.isfinite(score):
        return Ended("failed", reason=f"the score {order.score} is {score}, which is no number to compare")
    return Ended("complete", float(score))


def _reason(order: Order, code: int) -> str:
    """The last thing that a failed process said, or how it ended."""
    lines = _last_lines(order.log)
    told = [line.removeprefix("train.py: ") for line in lines if line.startswith("train.py: ")]
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return f"{how}: {(told or lines or ['it said nothing'])[-1]}"


def _last_lines(log: Path, size: int = 8192) -> Sequence[str]:
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - size))
        text = file.read().decode(errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]
