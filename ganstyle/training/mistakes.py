"""Hydra's, OmegaConf's and Python's words for a wrong configuration, as one sentence in the user's words."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from hydra.errors import HydraException, InstantiationException, MissingConfigException
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from ganstyle.errors import CheckpointError, ConfigError, GanstyleError, TrainingError, suggestion
from ganstyle.training.folder import FULL, conf_folder


def sentence(error: BaseException) -> str | None:
    """Say what was wrong in one sentence, or return None for an error that is not the user's."""
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, GanstyleError):
            return _from_worker(str(cause))
    for kind, tell in TELLERS:
        for cause in chain:
            if isinstance(cause, kind) and (told := tell(cause)):
                return told
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _unknown_key(error: Any) -> str | None:
    """`trainer.max_imgaes=3`: a key that the composed configuration does not have."""
    node = error.parent_node
    known = [str(name) for name in node] if node is not None else []
    name = str(error.full_key or error.key)
    if "." not in name:
        known += [group.name for group in conf_folder().iterdir() if group.is_dir()]
    return f"unknown configuration key {name!r}{suggestion(str(error.key), known)}" if known else None


def _unknown_option(error: Any) -> str | None:
    """`experiment=vangoh`: an option that a group does not have."""
    group, _, option = str(error.missing_cfg_file).rpartition("/")
    options = [name for name in error.options or () if not name.startswith("_")]
    return f"unknown option {group}={option}{suggestion(option, options)}" if options else None


def _bad_argument(error: BaseException) -> str | None:
    """`+generator.chanels=32`: a key that a constructor does not take."""
    found = re.search(r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'", str(error))
    if not found:
        return None
    owner, name = found.groups()
    owner = owner.removesuffix(".__init__")
    return f"{owner} takes no argument {name!r}; take it out of the configuration, or see --cfg job."


def _unbuilt(error: BaseException) -> str | None:
    """`generator.channels=wide`: a value that a constructor choked on; or a `_target_` that is not there."""
    key = re.search(r"full_key: (\S+)", str(error))
    place = key.group(1) if key else "a part of the configuration"
    if found := re.search(r"Error locating target '([\w.]+)'", str(error)):
        return f"{place}._target_ names {found.group(1)!r}, which cannot be imported."
    if error.__cause__ is None:
        return None
    return f"{place} cannot be built from these values ({error.__cause__}); see --cfg job, or --debug for the trace."


def _bad_group(error: BaseException) -> str | None:
    """`trainer=null`: a group without an option."""
    if "Config group override must be" not in str(error):
        return None
    return "a group takes the name of an option, as in trainer=small; see `python train.py --help` for what there is."


def _bad_file(error: Any) -> str | None:
    return f"{error.filename}: {error.strerror}." if error.filename and error.strerror else None


def _from_worker(text: str) -> str:
    """What a process that loads pictures said: its last line, where the loader has put a trace before it."""
    if not re.match(r"Caught \w+ in DataLoader worker process", text):
        return text
    return text.strip().splitlines()[-1].partition(": ")[2]


def _full_disk(error: Any) -> str | None:
    if error.errno not in FULL:
        return None
    what = f" while {error.filename} was written" if error.filename else ""
    return f"the disk is full{what}: free some space, then go on with resume=last, from the last checkpoint."


def _bad_override(error: BaseException) -> str | None:
    text = _first_line(error)
    if added := re.search(r"To append to your config use (.+)", str(error)):
        return f"{text.removesuffix('.')}: there is no such key; to add it write {added.group(1)}."
    if text.startswith("LexerNoViableAlt") or "mismatched input" in text:
        text = f"{text.partition(': ')[2]!r} is not an override: write key=value"
    return f"{text.removesuffix('.')}; see `python train.py --help` for how overrides are written."


def _bad_value(error: Any) -> str:
    return f"{_first_line(error)} (at {error.full_key}); see --cfg job for the composed configuration."


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _lost_rank(error: BaseException) -> str | None:
    """A rank that waits for one that is no more."""
    lost = re.search(r"Connection (closed|reset) by peer|remote process exited|watchdog", str(error))
    if not lost:
        return None
    return (
        "another process of this run ended; what it said stands above, unless it was killed: go on with resume=last, "
        "from the last checkpoint."
    )


def _lost_worker(error: BaseException) -> str | None:
    """A process that loads pictures and is no more."""
    lost = re.search(r"DataLoader worker \(pid.*\) (?:is killed by signal: (\w+)|exited unexpectedly)", str(error))
    if not lost:
        return None
    how = f" (signal: {lost.group(1)})" if lost.group(1) else ""
    return (
        f"a process that loads pictures was killed{how}, as happens where memory runs out; the last checkpoint is "
        "kept: go on with resume=last, and with fewer trainer.workers if it happens again."
    )


def is_everybodys(error: BaseException) -> bool:
    """Whether all ranks of a run meet this mistake alike, so that one telling is enough."""
    return any(isinstance(cause, ConfigError | CheckpointError | TrainingError) for cause in _chain(error))


TELLERS: tuple[tuple[type[BaseException], Callable[[Any], str | None]], ...] = (
    (MissingConfigException, _unknown_option),
    (ConfigKeyError, _unknown_key),
    (ConfigAttributeError, _unknown_key),
    (TypeError, _bad_argument),
    (InstantiationException, _unbuilt),
    (HydraException, _bad_override),
    (OmegaConfBaseException, _bad_value),
    (ValueError, _bad_group),
    (RuntimeError, _lost_rank),
    (RuntimeError, _lost_worker),
    (OSError, _full_disk),
    (OSError, _bad_file),
)
