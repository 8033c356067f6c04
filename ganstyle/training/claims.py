"""Who works on which trial of a study: claimed by one process at a time, and free again when that process is gone."""

import fcntl
import os
import socket
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optuna import Study
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from ganstyle.data.locks import lock
from ganstyle.errors import ConfigError

OWNER, BEAT, SURPLUS = "owner", "beat", "surplus"
"""Attributes of a trial."""
EVERY = 30.0
"""Seconds between two signs of life."""
SILENCE = 300.0
"""Seconds without one, after which a process on another machine counts as gone."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process and thread at a time decide who gets which trial.

    Raises:
        ConfigError: the file system has no locks.
    """
    with (folder / ".claims").open("w") as file:
        if not lock(file.fileno(), fcntl.LOCK_EX):
            raise ConfigError(
                f"{folder} is on a file system without locks (flock), by which the processes of a sweep share its "
                "trials; give --folder FOLDER on another."
            )
        yield


def claim(trial: Trial) -> None:
    """Write down that a trial is this process's own."""
    own = {"host": socket.gethostname(), "process": os.getpid(), "began": _began(os.getpid())}
    trial.set_user_attr(OWNER, own)
    beat(trial)


def beat(trial: Trial) -> None:
    """Give a sign of life."""
    trial.set_user_attr(BEAT, time.time())


def set_free(study: Study, storage: BaseStorage, number: int) -> None:
    """Put a trial back into the queue, where it keeps its number, what it varies and its folder."""
    storage.set_trial_state_values(_of_trial(study, storage, number), TrialState.WAITING)


def put_aside(study: Study, storage: BaseStorage, number: int) -> None:
    """Let a trial that nobody claimed count for nothing."""
    storage.set_trial_user_attr(_of_trial(study, storage, number), SURPLUS, True)
    study.tell(number, state=TrialState.FAIL)


def _of_trial(study: Study, storage: BaseStorage, number: int) -> int:
    of_study = storage.get_study_id_from_name(study.study_name)
    return storage.get_trial_id_from_study_id_trial_number(of_study, number)


def put_aside_unasked(study: Study, storage: BaseStorage, keys: Collection[str]) -> None:
    """Put aside every trial whose process ended before all keys had a value; call it while `alone`.

    Asked on, the keys that are left would get the numbers that the first ones were drawn by.
    """
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    for trial in running:
        if not is_surplus(trial) and OWNER not in trial.user_attrs and trial.params.keys() < set(keys):
            put_aside(study, storage, trial.number)


def free_orphans(study: Study, storage: BaseStorage) -> list[FrozenTrial]:
    """Put back every trial whose process is gone, and return them; call it while `alone`."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    orphans = [trial for trial in running if not is_surplus(trial) and not _lives(trial.user_attrs)]
    for trial in orphans:
        set_free(study, storage, trial.number)
    return orphans


def is_surplus(trial: FrozenTrial) -> bool:
    """Whether a trial counts for nothing: it was one too many, or nobody was left to ask for all of its values."""
    return bool(trial.user_attrs.get(SURPLUS))


def _lives(attributes: Mapping[str, Any]) -> bool:
    """Whether the process that claimed a trial is still there. Without a claim it ended before it could claim."""
    owner = attributes.get(OWNER)
    if owner is None:
        return False
    if owner["host"] == socket.gethostname():
        return bool(_began(owner["process"]) == owner["began"] != "")
    return bool(time.time() - attributes.get(BEAT, 0.0) < SILENCE)


def _began(process: int) -> str:
    """When a process began, in the system's own words; nothing if there is no such process.

    Numbers of processes come again, and with another beginning.
    """
    status = Path(f"/proc/{process}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] == "Z" else fields[19]
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "running"
