"""A sweep killed at any moment: python -m benchmarks.sweep_kills --output benchmarks/results/sweep_kills.json.

A sweep of a few trials is killed with -9 from outside at random moments, in turn while it asks, claims, waits for a
trial, tells, writes what it found, opens its study, puts back trials without an owner, starts a trial, and draws a
value. The same command must then end with the trials of a sweep that nobody disturbed: the same values and scores in
turn, no trial lost and none counted twice, no process left behind. Trials are stand-ins for train.py that take no
PyTorch (tests/training/trainee.py), so what is measured is the sweep itself.
"""

import argparse
import itertools
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import optuna

from benchmarks.forked import aims, forked
from benchmarks.record import machine
from ganstyle.training import claims, findings, study, sweep, trial
from ganstyle.training.provenance import commit
from ganstyle.training.search import Range, Search
from ganstyle.training.study import Plan, counted

ROOT = Path(__file__).resolve().parents[1]
TRAINEE = (sys.executable, str(ROOT / "tests" / "training" / "trainee.py"))
PHASES: Mapping[str, tuple[Any, str]] = {
    "asking": (optuna.Study, "ask"),
    "claiming": (claims, "claim"),
    "a trial": (trial, "attend"),
    "telling": (optuna.Study, "tell"),
    "concluding": (findings, "conclude"),
    "opening the study": (optuna, "create_study"),
    "freeing orphans": (claims, "free_orphans"),
    "starting a trial": (trial, "start"),
    "drawing a value": (optuna.samplers.RandomSampler, "sample_independent"),
}
"""Parts of a sweep, and the function that is at work in each."""


class Row(NamedTuple):
    """What came of the kills in one part of the sweep."""

    fault: str
    times: int
    held: int
    how: str


def plan(folder: Path, trials: int, workers: int, storage: str | None = None) -> Plan:
    """Search two numbers, the first of which is scored, with trials of a second."""
    space = {key: Range(0.0, 6.0, False, False, None) for key in ("system.ema", "trainer.clip")}
    search = Search("default", trials, "-quality/gain", space, (), "random", "none", 2, 0)
    return Plan(search, (), folder, storage, workers, (), TRAINEE, poll=0.05)


def begin(own: Plan, before: Callable[[], None] = lambda: None) -> int:
    """Fork a process that sweeps and concludes; return its number."""

    def search() -> int:
        sys.stdout = sys.stderr = (own.folder.parent / "said.txt").open("a")
        before()
        opened = study.opened(own)
        code = sweep.Sweep(own, opened).run()
        findings.conclude(own, opened)
        return code

    return forked(search)


def wait(process: int) -> int:
    """Wait for a process that `begin` started, and return its exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def watched(call: Callable[[str, float], None], at: Callable[[str], None] = lambda phase: None) -> None:
    """Look at every call of every part, before and after it; for a process that will not live on."""
    for phase, (owner, name) in PHASES.items():
        setattr(owner, name, _watched(phase, getattr(owner, name), call, at))


def _watched(
    phase: str, real: Callable[..., Any], call: Callable[[str, float], None], at: Callable[[str], None]
) -> Callable[..., Any]:
    def wrapped(*words: Any, **options: Any) -> Any:
        at(phase)
        began = time.monotonic()
        try:
            return real(*words, **options)
        finally:
            call(phase, time.monotonic() - began)

    return wrapped


def undisturbed(own: Plan) -> tuple[list[Any], dict[str, list[float]]]:
    """Sweep to the end; return the trials, and how long each call of each part took."""
    file = own.folder.parent / "seconds.txt"

    def note(phase: str, seconds: float) -> None:
        with file.open("a") as lines:
            lines.write(f"{phase}\t{seconds}\n")

    if wait(begin(own, lambda: watched(note))):
        raise RuntimeError((own.folder.parent / "said.txt").read_text())
    seconds: dict[str, list[float]] = {phase: [] for phase in PHASES}
    for line in file.read_text().splitlines():
        phase, _, took = line.partition("\t")
        seconds[phase].append(float(took))
    return trials(own), seconds


def trials(own: Plan) -> list[Any]:
    """The trials of a sweep as they count, in turn: state, values, score."""
    return [(one.state.name, one.params, one.value) for one in counted(study.opened(own))]


def killed(own: Plan, phase: str, number: int, delay: float) -> int:
    """Sweep, and kill -9 from outside `delay` seconds after call number `number` of a part began."""
    reading, writing = os.pipe()
    left = [number]

    def at(now: str) -> None:
        if now == phase:
            if left[0] == 0:
                os.write(writing, b".")
            left[0] -= 1

    process = begin(own, lambda: watched(lambda *_: None, at))
    os.close(writing)
    if os.read(reading, 1):
        time.sleep(delay)
        os.kill(process, signal.SIGKILL)
    os.close(reading)
    return wait(process)


def landed(places: Iterator[Plan], phase: str, number: int, delay: float) -> tuple[Plan, int]:
    """Kill a sweep of a new place each time, until one did not end before; return it and its exit code."""
    for own, aim in zip(places, aims(number, delay), strict=False):
        code = killed(own, phase, *aim)
        if code:
            break
    return own, code


def holds(own: Plan, calm: list[Any]) -> str:
    """Give the same command after a kill; return what is not as it would have been, or nothing."""
    code = wait(begin(own))
    found = trials(own)
    if code or found != calm:
        return f"exit code {code}, {found}; {(own.folder.parent / 'said.txt').read_text()[-2000:]}"
    starts = [len(path.read_text().splitlines()) for path in own.folder.glob("trials/*/starts.txt")]
    if len(starts) != len(calm) or max(starts) > 2:
        return f"the runs were started {starts} times"
    alive = [
        int(line.split()[0])
        for path in own.folder.glob("trials/*/starts.txt")
        for line in path.read_text().splitlines()
    ]
    if any(claims._began(process) for process in alive):
        return "a trial is still running"
    return "" if (own.folder / findings.BEST).stat().st_size else "no best.yaml"


def kills(folder: Path, count: int, seed: int, number: int = 3, workers: int = 2, journal: bool = False) -> list[Row]:
    """Kill as often as asked, the parts in turn, at moments drawn evenly over their time; count those that landed."""
    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ["TRAINEE"] = json.dumps({"images": 4, "pause": 0.1})
    draw = random.Random(seed)
    calm, seconds = undisturbed(_placed(folder / "calm", number, workers, journal))
    held: dict[str, list[bool]] = {phase: [] for phase in PHASES}
    for kill in range(count):
        phase = [*PHASES][kill % len(PHASES)]
        call = draw.randrange(len(seconds[phase]))
        places = (_placed(folder / f"kill{kill}" / str(aim), number, workers, journal) for aim in itertools.count())
        own, code = landed(places, phase, call, draw.uniform(0, seconds[phase][call]))
        wrong = holds(own, calm) if code == -signal.SIGKILL else f"it ended with {code} before it was killed"
        if code:
            held[phase].append(not wrong)
        print(f"{kill + 1:3} of {count}  {phase:18}  call {call:2}  {wrong or 'as undisturbed'}", flush=True)
    how = "kill -9, then the same command: the trials, values and scores of an undisturbed sweep"
    kept = "journal file" if journal else "SQLite"
    return [
        Row(f"kill -9 of a sweep ({kept}), {phase}", len(times), sum(times), how)
        for phase, times in held.items()
        if times
    ]


def _placed(folder: Path, number: int, workers: int, journal: bool) -> Plan:
    folder.mkdir(parents=True)
    return plan(folder / "sweep", number, workers, str(folder / "study.journal") if journal else None)


def main() -> None:
    """Kill, print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=48, help="with SQLite (default: %(default)s)")
    parser.add_argument("--journal", type=int, default=8, help="with a journal file (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="the results file")
    words = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        rows = kills(Path(folder) / "sqlite", words.kills, words.seed)
        if words.journal:
            rows += kills(Path(folder) / "journal", words.journal, words.seed, journal=True)
    for row in rows:
        print(f"{row.fault:52}  {row.held:3} of {row.times:<3}")
    if words.output:
        options = f"--kills {words.kills} --journal {words.journal} --seed {words.seed}"
        report = {
            "command": f"python -m benchmarks.sweep_kills {options} --output {words.output}",
            "commit": commit(),
            "machine": machine(),
            "versions": {"optuna": optuna.__version__},
            "seconds": round(time.monotonic() - began, 1),
            "rows": [row._asdict() for row in rows],
        }
        words.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if any(row.held < row.times for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
