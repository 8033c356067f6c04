"""Hydra's, OmegaConf's and Python's words for a wrong configuration, as one sentence in the user's words."""

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from hydra.errors import HydraException, MissingConfigException
from omegaconf.errors import ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException

from ganstyle.errors import GanstyleError, suggestion


def sentence(error: BaseException) -> str | None:
    """Say what was wrong in one sentence, or return None for an error that is not the user's."""
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, GanstyleError):
            return str(cause)
    for cause in chain:
        for kind, tell in TELLERS:
            if isinstance(cause, kind) and (told := tell(cause)):
                return told
    if any(isinstance(cause, HydraException | OmegaConfBaseException) for cause in chain):
        return _first_line(chain[-1])
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _unknown_key(error: Any) -> str | None:
    """`trainer.max_imgaes=3`, a key that the composed configuration does not have."""
    key = error.full_key or error.key
    if key is None:
        return None
    node = error.parent_node
    known = [str(name) for name in node] if node is not None and hasattr(node, "keys") else []
    return f"unknown configuration key {key!r}{suggestion(str(error.key), known)}" if known else None


def _unknown_option(error: Any) -> str | None:
    """`experiment=vangoh`, an option that a group does not have; or a group that there is not."""
    missing = error.missing_cfg_file
    if missing is None:
        return _first_line(error)
    group, _, option = str(missing).rpartition("/")
    options = [name for name in error.options or () if not name.startswith("_")]
    return f"unknown option {group}={option}{suggestion(option, options)}" if options else _first_line(error)


def _bad_override(error: BaseException) -> str | None:
    text = _first_line(error)
    found = re.search(r"Could not override '([^']+)'", text)
    if found and "No match in the defaults list" in str(error):
        group = found.group(1)
        return f"there is no configuration group {group!r}{suggestion(group, _groups())}"
    return f"{text.removesuffix('.')}; see `python train.py --help` for how overrides are written."


def _groups() -> list[str]:
    from ganstyle.training.main import conf_folder

    return [path.name for path in conf_folder().iterdir() if path.is_dir()]


def _bad_argument(error: BaseException) -> str | None:
    """A key that a constructor does not take, e.g. `generator.chanels=32` added with a plus sign."""
    found = re.search(r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'", str(error))
    if not found:
        return None
    owner, name = found.groups()
    return f"{owner.removesuffix('.__init__')} takes no argument {name!r}{suggestion(name, _arguments(error, owner, name))}"


def _arguments(error: BaseException, owner: str, name: str) -> list[str]:
    found = re.search(r"Error in call to target '([\w.]+)'", str(error.__context__ or error))
    target = _located(found.group(1)) if found else None
    return [key for key in inspect.signature(target).parameters if key != name] if target else [owner]


def _located(path: str) -> Callable[..., Any] | None:
    module, _, name = path.rpartition(".")
    target = getattr(import_module(module), name, None)
    return target if callable(target) else None


def _missing_value(error: Any) -> str:
    return f"{error.full_key} has no value; give one: {error.full_key}=..."


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


TELLERS: tuple[tuple[type[BaseException], Callable[[Any], str | None]], ...] = (
    (MissingConfigException, _unknown_option),
    (MissingMandatoryValue, _missing_value),
    (ConfigKeyError, _unknown_key),
    (TypeError, _bad_argument),
    (HydraException, _bad_override),
)
