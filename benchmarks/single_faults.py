"""One fault of every kind that is not a kill of the run itself, and what must come of it."""

import multiprocessing
import resource
import signal
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from benchmarks.loaded_run import packed
from benchmarks.mishaps import (
    Ended,
    before_call,
    begin,
    hurry,
    killed,
    newest,
    paint,
    read_every_time,
    result,
    run,
    wait,
)
from ganstyle.training.system import System

RESUME = "resume=last"
STEP = 12
"""The batch before which something goes wrong: 24 of 32 images were seen, and 18 or 24 are in a checkpoint."""


class Row(NamedTuple):
    """What came of a kind of fault."""

    fault: str
    times: int
    held: int
    """How often it ended as it should."""
    how: str
    """What was asked for."""
    told: str = ""
    """What the user was told, where that counts."""


class Calm(NamedTuple):
    """The run that nobody disturbed."""

    result: str
    seconds: Mapping[str, list[float]]
    """How long each call of each phase's function took."""


def on_full_disk(opened: Callable[..., Any]) -> Callable[..., Any]:
    """Make `Path.open` that lets nothing be written into the temporary file of a checkpoint."""

    def full(self: Path, mode: str = "r", **options: Any) -> Any:
        if mode != "xb":
            return opened(self, mode, **options)
        self.touch()
        return opened(Path("/dev/full"), "wb")

    return full


def full_disk(folder: Path, calm: Calm) -> Row:
    """Every write of a checkpoint's temporary file fails as on a full disk."""

    def sabotage() -> None:
        before_call("checkpoint write", 2, lambda: setattr(Path, "open", on_full_disk(Path.open)))

    ended = run(folder, sabotage=sabotage)
    told = ended.code == 2 and "is full" in ended.said and "free " in ended.said
    return _resumed("disk full while saving", folder, calm, ended, told, "exit 2, says what to free; resumes exactly")


def full_disk_for_cache(folder: Path, calm: Calm) -> Row:
    """The system refuses to let the cache's file of pixels grow, as a full disk does."""
    ended = run(folder, sabotage=lambda: _let_files_grow(4096))
    told = ended.code == 2 and "caching 7 pictures failed" in ended.said and "free some space" in ended.said
    return _resumed("disk full, building the cache", folder, calm, ended, told, "exit 2, says what to free; exact")


def full_disk_at_the_end(folder: Path, calm: Calm) -> Row:
    """The system refuses to let the artifact's weights grow, after all was trained."""
    ended = run(folder, sabotage=lambda: before_call("conclusion", 0, lambda: _let_files_grow(4096)))
    told = ended.code == 2 and "free some space" in ended.said and RESUME in ended.said
    return _resumed("disk full, writing the artifact", folder, calm, ended, told, "exit 2, says what to do; exact")


def _let_files_grow(size: int) -> None:
    """Allow no file more bytes, for a process that will not live on; what is longer already stays."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def damaged_checkpoint(folder: Path, calm: Calm) -> Row:
    """The newest checkpoint loses its end."""
    killed(folder, "training", STEP, 0.0)
    path = newest(folder) / "checkpoints" / "last.ckpt"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    ended = run(folder, RESUME)
    held = ended.code == 0 and "goes on from the one before it" in ended.said and result(folder) == calm.result
    return _row("newest checkpoint damaged", held, "falls back to the one before, says so; the same bits", ended)


def unreadable_stop(folder: Path, calm: Calm) -> Row:
    """A picture becomes unreadable, and the run is to stop; afterwards it is there again."""
    picture = folder / "source" / "3.png"
    whole = picture.read_bytes()
    words = ("data.cache=null", "data.on_bad_image=stop")
    ended = run(folder, *words, sabotage=_spoiling(picture))
    told = ended.code == 2 and "3.png" in ended.said
    picture.write_bytes(whole)
    how = "exit 2, names it; with the picture back, resumes exactly"
    return _resumed("unreadable picture, stop", folder, calm, ended, told, how, *words)


def unreadable_skip(folder: Path, calm: Calm) -> Row:
    """A picture becomes unreadable, and is to be skipped by two processes that load."""
    words = ("data.cache=null", "data.on_bad_image=skip", "trainer.workers=2")
    ended = run(folder, *words, sabotage=_spoiling(folder / "source" / "3.png"))
    held = ended.code == 0 and "3.png" in ended.said and ended.said.count("takes its place") == 1
    return _row("unreadable picture, skip", held, "named once by two loaders, left out, the run ends well", ended)


def too_many_unreadable(folder: Path, calm: Calm) -> Row:
    """More pictures than may be left out become unreadable."""
    every = [folder / "source" / f"{number}.png" for number in range(7)]
    words = ("data.cache=null", "data.on_bad_image=skip", "trainer.workers=2")
    ended = run(folder, *words, sabotage=_spoiling(*every))
    held = ended.code == 2 and "can no longer be read" in ended.said
    return _row("unreadable pictures beyond the budget", held, "exit 2, counted", ended)


def _spoiling(*paths: Path) -> Callable[[], None]:
    def spoil() -> None:
        for path in paths:
            path.write_bytes(b"")

    def sabotage() -> None:
        read_every_time()
        before_call("training", 2, spoil)

    return sabotage


def _poison() -> None:
    """Turn a weight into no number before a step, in a course that was not rolled back."""
    real = System.training_step

    def poisoned(self: Any, batch: Any, batch_idx: int) -> None:
        if self.images_seen == 2 * STEP and self.rollbacks == 0:
            nn.init.constant_(next(self.method.generators["generator"].parameters()), float("nan"))
        real(self, batch, batch_idx)

    System.training_step = poisoned  # type: ignore[method-assign]


def not_a_number_stops(folder: Path, calm: Calm) -> Row:
    """A weight becomes no number; the cause is mended, and the run goes on."""
    ended = run(folder, sabotage=_poison)
    told = ended.code == 2 and "not finite" in ended.said
    return _resumed("loss is no number", folder, calm, ended, told, "exit 2, names the term; resumes exactly")


def not_a_number_rolls_back(folder: Path, calm: Calm) -> Row:
    """The same, and the watch may roll back."""
    words = ("callbacks.health.on_collapse=roll_back", "callbacks.health.every=1", "callbacks.health.limits.patience=1")
    ended = run(folder, *words, sabotage=_poison)
    held = ended.code == 0 and "rolled back to" in ended.said
    return _row("loss is no number, roll_back", held, "goes on from the last healthy state to the end", ended)


def killed_loader(folder: Path, calm: Calm) -> Row:
    """A process that loads pictures is killed."""

    def kill() -> None:
        for child in multiprocessing.active_children():
            child.kill()

    ended = run(folder, "trainer.workers=2", sabotage=lambda: before_call("training", STEP, kill))
    told = ended.code == 2 and "a process that loads pictures was killed" in ended.said
    return _resumed("loading process killed", folder, calm, ended, told, "exit 2 in one sentence; resumes exactly")


def ended_in_cache(folder: Path, calm: Calm) -> Row:
    """SIGTERM comes while the cache of pictures is built: nothing was trained yet, so the run ends at once."""
    delay = calm.seconds["cache building"][0] / 2
    ended = killed(folder, "cache building", 0, delay, number=signal.SIGTERM)
    told = ended.code == -signal.SIGTERM
    return _resumed("SIGTERM while the cache is built", folder, calm, ended, told, "ends at once; resumes exactly")


def ended_in_index(folder: Path, calm: Calm) -> Row:
    """SIGTERM comes while an index is built, between two pictures: nothing was trained yet, so the run ends at once."""
    twin = folder / "undisturbed"
    paint(twin)
    run(twin, *packed(twin))
    words = packed(folder)
    end = partial(signal.raise_signal, signal.SIGTERM)
    ended = run(folder, *words, sabotage=lambda: before_call("looking at pictures", 3, end))
    told = ended.code == -signal.SIGTERM
    like = calm._replace(result=result(twin))
    return _resumed("SIGTERM while an index is built", folder, like, ended, told, "ends at once; exact", *words)


def second_run(folder: Path, calm: Calm) -> Row:
    """A second run wants the folder of one that is at work."""
    go, there = folder / "go", folder / "there"

    def pause() -> None:
        there.touch()
        while not go.exists():
            time.sleep(0.05)

    process = begin(folder, sabotage=lambda: before_call("training", STEP, pause))
    while not there.exists():
        time.sleep(0.05)
    second = run(folder, RESUME)
    go.touch()
    first = wait(process, folder)
    refused = second.code == 2 and "another run is writing in" in second.said
    held = refused and first.code == 0 and result(folder) == calm.result
    return _row("second run on one folder", held, "exit 2; the first one ends with the same bits", second)


def _resumed(fault: str, folder: Path, calm: Calm, ended: Ended, told: bool, how: str, *words: str) -> Row:
    """Go on after a fault that was told as it should."""
    resumed = run(folder, *words, RESUME, sabotage=hurry)
    return _row(fault, told and resumed.code == 0 and result(folder) == calm.result, how, ended)


def _row(fault: str, held: bool, how: str, ended: Ended) -> Row:
    """Keep the last line that says something of it."""
    lines = [line.strip() for line in ended.said.splitlines() if line.strip()]
    hints = ("train.py: ", "The run goes on", "takes its place", "rolled back")
    told = [line for line in lines if any(hint in line for hint in hints)]
    return Row(fault, 1, int(held), how, (told or lines or [""])[-1])


OTHERS = (
    *(
        full_disk,
        full_disk_for_cache,
        full_disk_at_the_end,
        damaged_checkpoint,
        unreadable_stop,
        unreadable_skip,
        too_many_unreadable,
    ),
    *(not_a_number_stops, not_a_number_rolls_back, killed_loader, ended_in_cache, ended_in_index, second_run),
)
