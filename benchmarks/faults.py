"""What a long run meets: python -m benchmarks.faults --kills 50 --output benchmarks/results/faults.json.

A small run is killed with -9 from outside at random moments, in turn while it trains, writes a checkpoint, validates,
and builds its cache of pictures; the same command with resume=last must end with the bits of the run that nobody
disturbed. So must a run with loading processes, an index of tar files, a cache and evaluations, which is killed in
these, too. Then one fault of every other kind: a full disk, a damaged checkpoint, unreadable pictures, numbers that are
none, a killed loading process, a second run on the folder. Last, either process of a run on two devices is killed.
Everything happens in a temporary folder.
"""

import argparse
import json
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

from benchmarks import loaded_run, lost_ranks
from benchmarks.forked import aims
from benchmarks.mishaps import WATCHED, Ended, killed, measure, paint, result, run
from benchmarks.record import machine
from benchmarks.single_faults import OTHERS, RESUME, Calm, Row
from ganstyle.training.provenance import commit

Words = Callable[[Path], tuple[str, ...]]


def small(folder: Path) -> tuple[str, ...]:
    """Nothing beyond what every run here does."""
    return ()


def undisturbed(folder: Path, words: Words = small) -> Calm:
    """Run to the end, and measure the phases."""

    def measuring() -> None:
        for phase in WATCHED:
            measure(phase, folder / f"{phase}.txt")

    paint(folder)
    ended = run(folder, *words(folder), sabotage=measuring)
    if ended.code:
        raise RuntimeError(ended.said)
    files = {phase: folder / f"{phase}.txt" for phase in WATCHED}
    seconds = {phase: [float(line) for line in file.read_text().split()] for phase, file in files.items()}
    return Calm(result(folder), seconds)


class Shot(NamedTuple):
    """A run that was killed."""

    place: Path
    words: tuple[str, ...]
    ended: Ended


def landed(folder: Path, words: Words, phase: str, call: int, delay: float) -> Shot:
    """Kill a run in a new place each time, until one did not end before."""
    for number, aim in enumerate(aims(call, delay)):
        place = folder / str(number)
        paint(place)
        given = words(place)
        shot = Shot(place, given, killed(place, phase, *aim, *given))
        if shot.ended.code:
            break
    return shot


def kills(folder: Path, calm: Calm, count: int, seed: int, words: Words = small) -> list[Row]:
    """Kill as often as asked, the phases in turn, at moments drawn evenly over their time; count those that landed."""
    draw = random.Random(seed)
    phases = [phase for phase, seconds in calm.seconds.items() if seconds]
    held: dict[str, list[bool]] = {phase: [] for phase in phases}
    for number in range(count):
        phase = phases[number % len(phases)]
        call = draw.randrange(len(calm.seconds[phase]))
        delay = draw.uniform(0, calm.seconds[phase][call])
        place, given, ended = landed(folder / f"kill{number}", words, phase, call, delay)
        if ended.code == 0:
            print(f"{number + 1:3} of {count}  {phase:16}  call {call:2}  ended before its kill", flush=True)
            continue
        resumed = run(place, *given, RESUME)
        exact = resumed.code == 0 and result(place) == calm.result
        held[phase].append(exact and ended.code == -signal.SIGKILL)
        print(f"{number + 1:3} of {count}  {phase:16}  call {call:2}  {'same bits' if exact else resumed}", flush=True)
    how = "kill -9, then resume=last: the same bits as undisturbed"
    kind = "" if words is small else ", everything on"
    return [Row(f"kill -9 in {phase}{kind}", len(times), sum(times), how) for phase, times in held.items() if times]


def measured(folder: Path, count: int, loaded: int, seed: int) -> list[Row]:
    """Let everything happen once, and `count` kills, and `loaded` kills of a run with everything switched on."""
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    calm = undisturbed(folder / "calm")
    rows = kills(folder, calm, count, seed)
    if loaded:
        whole = undisturbed(folder / "loaded" / "calm", loaded_run.words)
        rows += kills(folder / "loaded", whole, loaded, seed, loaded_run.words)
    for fault in OTHERS:
        place = folder / fault.__name__
        paint(place)
        rows.append(fault(place, calm))
        print(_line(rows[-1]), flush=True)
    return [*rows, *lost_ranks.losses(folder / "two")]


def _line(row: Row) -> str:
    return f"{row.fault:38}  {row.held:3} of {row.times:<3}  {row.how}"


def main() -> None:
    """Run everything, print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="kill -9 at so many moments (default: %(default)s)")
    parser.add_argument("--loaded", type=int, default=21, help="and so many with everything on (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="the results file")
    words = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        rows = measured(Path(folder), words.kills, words.loaded, words.seed)
        told = [row._replace(told=row.told.replace(folder, "...")) for row in rows]
    print("\n".join(map(_line, told)))
    if words.output:
        _write(words, told, time.monotonic() - began)
    if any(row.held < row.times for row in told):
        raise SystemExit(1)


def _write(words: argparse.Namespace, rows: list[Row], seconds: float) -> None:
    options = f"--kills {words.kills} --loaded {words.loaded} --seed {words.seed}"
    report = {
        "command": f"python -m benchmarks.faults {options} --output {words.output}",
        "commit": commit(),
        "machine": machine(),
        "seconds": round(seconds, 1),
        "rows": [row._asdict() for row in rows],
    }
    words.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
