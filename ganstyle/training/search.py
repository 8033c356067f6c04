"""What a sweep searches: a file of conf/sweep with a `search:` node, read and checked."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from ganstyle.errors import ConfigError, suggestion, unknown
from ganstyle.training.folder import conf_folder
from ganstyle.values import one_of, whole

KEYS = ("trials", "objective", "space", "with", "sampler", "pruner", "unpruned", "seed")
SAMPLERS = ("tpe", "random")
PRUNERS = ("median", "none")
PLAIN = re.compile(r"[\w./+-]+")
"""Text that an override takes without quotes."""


class Range(NamedTuple):
    """Numbers between two ends, both of them included."""

    low: float
    high: float
    whole: bool
    """Whole numbers only."""
    log: bool
    """Drawn evenly over their logarithm."""
    step: float | None


class Choice(NamedTuple):
    """One of several values, each written as an override takes it."""

    texts: tuple[str, ...]


Dimension = Range | Choice


@dataclass(frozen=True)
class Search:
    """What is varied, what is judged, and how often."""

    name: str
    trials: int
    objective: str
    """The score that is minimized; with a minus sign before it, the one that is maximized."""
    space: Mapping[str, Dimension]
    """By the key or group of the configuration that is varied."""
    overrides: tuple[str, ...]
    """Of every trial."""
    sampler: str
    pruner: str
    unpruned: int
    """Trials that are never ended early, so that there is something to compare with."""
    seed: int

    @property
    def score(self) -> str:
        """The score's name."""
        return self.objective.removeprefix("-")

    @property
    def maximizes(self) -> bool:
        """Whether more is better."""
        return self.objective.startswith("-")


def read(name: str) -> Search:
    """Read a search space: the name of a file in conf/sweep, or the path of a YAML file.

    Raises:
        ConfigError: there is no such file, it is a grid, or something in it does not fit.
    """
    path = _path(name)
    try:
        plain: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    except (OmegaConfBaseException, YAMLError, OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {str(error).splitlines()[0]}.") from error
    found = plain.get("search") if isinstance(plain, dict) else None
    if not isinstance(found, dict):
        is_grid = isinstance(plain, dict) and "hydra" in plain
        raise ConfigError(
            f"{path} is a grid, which `python train.py -m sweep={path.stem}` trains; a search space has a search: node."
            if is_grid
            else f"{path} has no search: node, which says what is varied and judged; see conf/sweep/default.yaml."
        )
    return _checked(path.stem, found)


def _path(name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        if not Path(name).is_file():
            raise ConfigError(f"there is no file {name}, which sweep={name} names.")
        return Path(name)
    folder = conf_folder() / "sweep"
    if not (folder / f"{name}.yaml").is_file():
        raise ConfigError(unknown("search space", name, [path.stem for path in folder.glob("*.yaml")]))
    return folder / f"{name}.yaml"


def _checked(name: str, found: Mapping[str, Any]) -> Search:
    for key in found:
        if key not in KEYS:
            raise ConfigError(f"unknown key search.{key}{suggestion(str(key), KEYS)}")
    space, words = found.get("space"), found.get("with") or []
    if not isinstance(space, dict) or not space:
        raise ConfigError("search.space must name at least one key of the configuration, with a range or choices.")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ConfigError(f"search.with must be a list of overrides, as train.py takes them, but got {words!r}.")
    objective = found.get("objective")
    if not isinstance(objective, str) or not objective.removeprefix("-"):
        raise ConfigError("search.objective must name a score, such as -quality/gain to maximize that one.")
    sampler, pruner = str(found.get("sampler", "tpe")), str(found.get("pruner", "median"))
    one_of("search.sampler", sampler, SAMPLERS)
    one_of("search.pruner", pruner, PRUNERS)
    return Search(
        name,
        whole("search.trials", found.get("trials", 30), least=1),
        objective,
        {str(key): _dimension(str(key), value) for key, value in space.items()},
        tuple(words),
        sampler,
        pruner,
        whole("search.unpruned", found.get("unpruned", 5), least=1),
        whole("search.seed", found.get("seed", 0), least=0),
    )


def _dimension(key: str, value: Any) -> Dimension:
    if isinstance(value, list) and len(value) > 1:
        texts = tuple(map(_text, value))
        if len(set(texts)) == len(texts):
            return Choice(texts)
    if isinstance(value, dict) and {"low", "high"} <= value.keys() <= {"low", "high", "log", "step"}:
        return _range(key, value)
    raise ConfigError(
        f"search.space.{key} must be a list of different choices, or {{low: ..., high: ...}} with log: true or a step, "
        f"but got {value!r}."
    )


def _range(key: str, value: Mapping[str, Any]) -> Range:
    low, high, step, log = value["low"], value["high"], value.get("step"), value.get("log", False)
    numbers = [low, high] if step is None else [low, high, step]
    if not all(map(_is_finite, numbers)) or not isinstance(log, bool):
        raise ConfigError(f"search.space.{key} takes finite numbers for its ends and step, but got {dict(value)!r}.")
    if not low < high or (log and (low <= 0 or step is not None)) or (step is not None and not step > 0):
        raise ConfigError(
            f"search.space.{key} must rise from low to high; log: true needs low above 0 and no step, "
            f"but got {dict(value)!r}."
        )
    return Range(low, high, all(isinstance(number, int) for number in numbers), log, step)


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _text(value: object) -> str:
    """Write a choice as an override takes it."""
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        return value if PLAIN.fullmatch(value) else f"'{quoted}'"
    return json.dumps(value)


def overrides_of(params: Mapping[str, object]) -> list[str]:
    """Write what a trial varies as train.py takes it."""
    return [f"{key}={value if isinstance(value, str) else repr(value)}" for key, value in params.items()]


def first_point(space: Mapping[str, Dimension]) -> dict[str, object]:
    """Some point of a space."""
    return {
        key: of.texts[0] if isinstance(of, Choice) else int(of.low) if of.whole else float(of.low)
        for key, of in space.items()
    }


def plain(search: Search, words: Sequence[str]) -> dict[str, Any]:
    """What tells one sweep from another, as plain values: all but the number of trials."""
    return {
        "overrides": [*words],
        "with": [*search.overrides],
        "objective": search.objective,
        "sampler": search.sampler,
        "pruner": search.pruner,
        "unpruned": search.unpruned,
        "seed": search.seed,
        "space": {key: json.loads(json.dumps(of._asdict())) for key, of in search.space.items()},
    }
