"""A process of a run on two devices dies, at a moment when the other one waits for it, or when it does not.

Part of benchmarks.faults; alone: python -m benchmarks.lost_ranks --output benchmarks/results/lost_ranks.json.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pytorch_lightning import Callback, Trainer

from benchmarks.mishaps import COMMAND, paint, result
from benchmarks.record import machine
from benchmarks.single_faults import Row
from ganstyle.training.launcher import process_number
from ganstyle.training.provenance import commit

REPOSITORY = Path(__file__).resolve().parents[1]
TWO = ("trainer=ddp", "trainer.devices=2", "trainer.accelerator=cpu", "trainer.batch_size=2", "trainer.workers=0")
AT = 16
"""Images seen when it happens, of 32; a checkpoint was written at 12 or 16."""
LIMIT = 30.0
"""Seconds after which a run must have ended."""
BUSY = 120.0
"""Seconds that the survivor would go on without looking up."""
PHASES = ("training", "validation", "beginning")


class Death(Callback):
    """Kills one process of a run.

    Args:
        phase: training (the other waits for gradients), validation (the other computes on), or beginning (the other
            waits for a process group that will never be).
        on: the process that dies.
        note: a file for the time of death.
    """

    def __init__(self, phase: str, on: int, note: str) -> None:
        self.phase, self.on, self.note = phase, on, note
        if phase == "beginning" and process_number() == 1:  # the first one has started this one, and waits
            self._kill(os.getppid() if on == 0 else os.getpid())

    def _kill(self, process: int) -> None:
        Path(self.note).write_text(str(time.time()))
        os.kill(process, signal.SIGKILL)

    def setup(self, trainer: Trainer, system: Any, stage: str) -> None:
        """Lie in wait in the validation."""
        judge = system.judge

        def deadly(batch: Any) -> Any:
            if self.phase == "validation" and system.images_seen == AT:
                if process_number() == self.on:
                    self._kill(os.getpid())
                time.sleep(BUSY)
            return judge(batch)

        system.judge = deadly

    def on_train_batch_start(self, trainer: Trainer, system: Any, batch: Any, batch_idx: int) -> None:
        """Kill in the middle of training."""
        if self.phase == "training" and system.images_seen == AT and process_number() == self.on:
            self._kill(os.getpid())


class Ended(NamedTuple):
    """How all processes of a run ended."""

    code: int
    said: str
    at: float


def run(folder: Path, *words: str) -> Ended:
    """Train on two devices, its pictures and runs under `folder`, until no process is left."""
    sides = [f"data.{side}={folder / side}" for side in ("source", "target")]
    own = [f"runs={folder / 'runs'}", *sides, f"data.cache={folder / 'cache'}"]
    process = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "train.py"), *COMMAND[1:], *TWO, *own, *words],
        cwd=REPOSITORY,
        env={"GLOO_SOCKET_IFNAME": "lo", **os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=300)  # ends when every process has closed its end
        while processes(process.pid):
            time.sleep(0.05)
    finally:
        for left in processes(process.pid):
            os.kill(left, signal.SIGKILL)
    return Ended(process.returncode, said, time.time())


def processes(session: int) -> Sequence[int]:
    """List the processes of a session that still run."""
    told = subprocess.run(["ps", "-e", "-o", "pid=,sid=,stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in told.stdout.splitlines()]
    return [int(pid) for pid, sid, state in rows if int(sid) == session and not state.startswith("Z")]


def lost(folder: Path, phase: str, on: int, calm: str) -> Row:
    """Lose a process; then go on with resume=last, unless nothing was trained yet."""
    note = folder / "death.txt"
    words = (f"+callbacks.death.{key}={value}" for key, value in {"phase": phase, "on": on, "note": note}.items())
    ended = run(folder, "+callbacks.death._target_=benchmarks.lost_ranks.Death", *words)
    seconds = ended.at - float(note.read_text())
    sentences = [line for line in ended.said.splitlines() if line.startswith("train.py: ")]
    told = ended.code != 0 and len(sentences) == 1 and "resume=last" in sentences[0]
    resumed = run(folder, "resume=last")
    held = told and seconds < LIMIT and resumed.code == 0 and result(folder) == calm
    how = f"all ended in {LIMIT:.0f} s with one sentence; resume=last: the same bits"
    return Row(f"process {on} of 2 killed: {phase}", 1, int(held), how, f"after {seconds:.1f} s: {' '.join(sentences)}")


def undisturbed(folder: Path) -> str:
    """Train on two devices to the end; return what became of it."""
    ended = run(folder)
    if ended.code:
        raise RuntimeError(ended.said)
    return result(folder)


def losses(folder: Path) -> list[Row]:
    """Lose either process, in every phase."""
    paint(folder / "calm")
    calm, rows = undisturbed(folder / "calm"), []
    for phase in PHASES:
        for on in (0, 1):
            place = folder / f"{phase}{on}"
            paint(place)
            rows.append(lost(place, phase, on, calm))
            print(f"{rows[-1].fault:38}  {'held' if rows[-1].held else 'FAILED'}  {rows[-1].told}", flush=True)
    return rows


def main() -> None:
    """Lose them all, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, help="the results file")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = losses(Path(folder))
    if words.output:
        command = f"python -m benchmarks.lost_ranks --output {words.output}"
        report = {"command": command, "commit": commit(), "machine": machine(), "rows": [row._asdict() for row in rows]}
        words.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if not all(row.held for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
