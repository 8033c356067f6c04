"""The folder of a run: where it is, who may write in it, what is recorded there, and what may be resumed."""

import errno
import fcntl
import logging
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ganstyle.data.locks import lock
from ganstyle.errors import CheckpointError, ConfigError
from ganstyle.training import launcher

log = logging.getLogger(__name__)
LAST = "last"
CONFIG, BEGAN = "config.yaml", "began.txt"
LEFT_OUT = "left_out.tsv"
"""The pictures that a run could not read and left out."""
FREE_KEYS = (
    *("resume", "runs", "licence", "objective", "logger", "callbacks"),
    *("trainer.workers", "trainer.log_every", "data.on_bad_image", "data.cache", "data.cache_limit", "data.index"),
)
"""Keys that may change between a run and its resumption, because they do not change what is trained."""
SHARES = ("trainer.devices", "trainer.nodes", "trainer.batch_size")
"""Keys that may change together, as long as as many images make a batch of all devices."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a write says where nothing more fits: on the disk, into the user's share of it, into one file."""


def conf_folder() -> Path:
    """Return the folder of configurations: of the checkout, or the one inside an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def choose(runs: str, name: object, resume: str | None) -> str:
    """Return the folder of this run: a new one named by the time, or the one that `resume` means.

    Every rank gets the same answer: Lightning's children get the folder of their parent, ranks under torchrun ask the
    first one, and under srun a new run is named by its job.
    """
    if not name or not isinstance(name, str) or Path(name).name != name or name == "..":
        raise ConfigError(f"name is the experiment's folder under {runs}/, one plain word, but got {name!r}.")
    if resume not in (None, "", LAST):
        return str(_folder_of(Path(str(resume))))
    experiment = Path(runs) / name
    return launcher.agreed(lambda: str(_newest_or_new(experiment, resume)))


def _newest_or_new(experiment: Path, resume: str | None) -> Path:
    newest = newest_run(experiment) if resume == LAST else None
    return newest or experiment / _run_id(experiment)


def newest_run(experiment: Path) -> Path | None:
    """Return the run of an experiment that began last, whatever its launcher named it by."""
    runs = [path for path in experiment.glob("*") if (path / CONFIG).is_file()]
    return max(runs, key=lambda path: (_began(path), path.name), default=None)


def _began(run: Path) -> str:
    """When a run began, as it wrote down itself; one that did not, when it was last started."""
    if (run / BEGAN).is_file():
        return (run / BEGAN).read_text().strip()
    return datetime.fromtimestamp((run / CONFIG).stat().st_mtime, UTC).isoformat()


def _folder_of(path: Path) -> Path:
    folder = path.parent.parent if path.suffix == ".ckpt" else path
    if not (folder / CONFIG).is_file():
        raise CheckpointError(
            f"resume={path} is neither a run folder nor a checkpoint; give a folder under runs/ or resume=last."
        )
    return folder


def _run_id(experiment: Path) -> str:
    if "GANSTYLE_RUN_ID" not in os.environ:
        os.environ["GANSTYLE_RUN_ID"] = _job_id() or _free_time(experiment)
    return os.environ["GANSTYLE_RUN_ID"]


def _free_time(experiment: Path) -> str:
    """The time, with a number after it where another run of this experiment began in the same second."""
    now = time.strftime("%Y-%m-%d_%H-%M-%S")
    names = (now, *(f"{now}_{number}" for number in range(2, 1000)))
    return next(name for name in names if _reserved(experiment / name))


def _reserved(folder: Path) -> bool:
    """Make a folder, unless another run has it; where none can be made, `taken` will say why."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=False)
        return True
    return not folder.exists()


def _job_id() -> str | None:
    """An id that all ranks of a SLURM job share; a requeued job is another run, unless it resumes."""
    if not launcher.by_srun():
        return None
    again = os.environ.get("SLURM_RESTART_COUNT", "0")
    names = ("slurm", os.environ["SLURM_JOB_ID"], os.environ.get("SLURM_STEP_ID", "0"), again)
    return "-".join(names if again != "0" else names[:-1])


@contextmanager
def taken(folder: Path) -> Iterator[None]:
    """Keep the folder, and its log, for this process; an unused folder is removed when a run fails.

    On a file system without locks it warns and goes on.

    Raises:
        CheckpointError: another run is writing there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            has_locks = lock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CheckpointError(
                f"another run is writing in {folder}; wait for it, stop it, or start without resume."
            ) from error
        if not has_locks:
            log.warning("%s is on a file system without locks (flock): nothing keeps a second run out of it.", folder)
        os.register_at_fork(after_in_child=file.close)  # a process that loads pictures may outlive a killed run
        try:
            yield
        except BaseException:
            _discard_if_unused(folder)
            raise


def is_taken(folder: Path) -> bool:
    """Whether a run is writing in a folder now; on a file system without locks nobody can tell, and it is False."""
    if not (folder / ".lock").is_file():
        return False
    with (folder / ".lock").open() as file:
        try:
            lock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def record(folder: Path, config: DictConfig, overrides: list[str]) -> None:
    """Write when the run began, the composed configuration, and what the user typed."""
    if not (folder / BEGAN).is_file():
        (folder / BEGAN).write_text(f"{datetime.now(UTC).isoformat()}\n")
    (folder / CONFIG).write_text(OmegaConf.to_yaml(config))
    (folder / "overrides.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(overrides)))


@contextmanager
def logged(folder: Path) -> Iterator[None]:
    """Keep ganstyle's messages in the run's log, beside the screen."""
    handler = logging.FileHandler(folder / "run.log", delay=True, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("ganstyle")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def refuse_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to resume when a key that decides what is trained has another value.

    Raises:
        ConfigError: names every changed key with both values.
    """
    old, new = _flat(before), _flat(now)
    free = {*SHARES} if _batch(old) == _batch(new) else set[str]()
    changed = sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k) and not _free(k) and k not in free)
    if changed:
        told = ", ".join(f"{key} (was {old.get(key)!r}, now {new.get(key)!r})" for key in changed)
        raise ConfigError(
            f"this run was started with other values of {told}; resume with the same, or start a new run."
        )


def refuse_other_pictures(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to resume on other pictures than what a checkpoint's card tells; what it does not tell may be any.

    Raises:
        ConfigError: names every changed key with both values.
    """
    refuse_changes({"pictures": before}, {"pictures": {key: told for key, told in now.items() if key in before}})


def _batch(config: Mapping[str, Any]) -> int | None:
    """The images of one batch over all devices, where a configuration says so."""
    shares = [share for key in SHARES if isinstance(share := config.get(key), int)]
    return math.prod(shares) if len(shares) == len(SHARES) else None


def _free(key: str) -> bool:
    return any(key == free or key.startswith(f"{free}.") for free in FREE_KEYS)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _discard_if_unused(folder: Path) -> None:
    """Remove a new run's folder, and its experiment's, when the run ended before it recorded anything there."""
    if {path.name for path in folder.iterdir()} <= {".lock"}:
        (folder / ".lock").unlink(missing_ok=True)
        with suppress(OSError):  # the experiment has other runs
            folder.rmdir()
            folder.parent.rmdir()
