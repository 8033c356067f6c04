"""What a sweep found: a table of its trials, the best one as an experiment, and pictures."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

import optuna
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from optuna.trial import FrozenTrial, TrialState

from ganstyle.errors import ConfigError
from ganstyle.training.folder import conf_folder
from ganstyle.training.portraits import draw
from ganstyle.training.search import overrides_of
from ganstyle.training.study import REASON, RUN, Plan, counted, told, words

TABLE, BEST = "trials.csv", Path("experiment") / "best.yaml"
SHOWN = 10
"""Trials in the printed table."""
FORBIDDEN = ("resume", "hydra", "sweep", "objective", "runs")
"""Keys that a sweep sets itself, or that belong to its search space."""


class Found(NamedTuple):
    """What a sweep left in its folder."""

    lines: list[str]
    """To print."""
    files: list[Path]
    best: FrozenTrial | None
    """None where no trial ended with a score."""


def conclude(plan: Plan, study: optuna.Study) -> Found:
    """Write the table, the best trial's experiment and the pictures, as far as the trials reach, and tell of them."""
    trials = counted(study)
    files = [_table(trials, plan)]
    complete = ranked(trials, plan)
    if complete:
        files.append(_best(complete, plan))
        files += draw(study, complete, plan)
    lines = [f"{', '.join(told(study)) or 'no trial yet'}.", *_shown(complete, plan)]
    if complete:
        lines.append(f"{_command(plan)}    trains the best again")
    return Found(lines, files, complete[0] if complete else None)


def ranked(trials: Sequence[FrozenTrial], plan: Plan) -> list[FrozenTrial]:
    """List the trials that ended with a score, the best first."""
    complete = [one for one in trials if one.state == TrialState.COMPLETE and one.value is not None]
    return sorted(complete, key=lambda one: (one.value or 0.0) * (-1 if plan.search.maximizes else 1))


def _shown(complete: Sequence[FrozenTrial], plan: Plan) -> list[str]:
    if not complete:
        return []
    head = f"{'trial':>5}  {plan.search.score:>14}  varied"
    return [head, *(f"{t.number:5}  {t.value:14.4g}  {' '.join(overrides_of(t.params))}" for t in complete[:SHOWN])]


def _table(trials: Sequence[FrozenTrial], plan: Plan) -> Path:
    """Write one row for every trial, whatever became of it."""
    path, keys = plan.folder / TABLE, list(plan.search.space)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["trial", "state", plan.search.score, "images", *keys, "seconds", "run", "failure"])
        for one in trials:
            last = max(one.intermediate_values, default="")
            seconds = round(one.duration.total_seconds(), 1) if one.duration else ""
            row = [one.number, one.state.name.lower(), _score(one), last, *(one.params.get(key, "") for key in keys)]
            rows.writerow([*row, seconds, one.user_attrs.get(RUN, ""), one.user_attrs.get(REASON, "")])
    return path


def _score(one: FrozenTrial) -> float | str:
    """A trial's score; of one that was ended early, the last that it had."""
    if one.state == TrialState.COMPLETE and one.value is not None:
        return one.value
    return one.intermediate_values[max(one.intermediate_values)] if one.intermediate_values else ""


def _command(plan: Plan) -> str:
    return f"python train.py --config-dir {quote(str(plan.folder))} experiment={BEST.stem}"


def _best(complete: Sequence[FrozenTrial], plan: Plan) -> Path:
    path, best = plan.folder / BEST, complete[0]
    path.parent.mkdir(exist_ok=True)
    title = f"The best of {len(complete)} trials of sweep={plan.search.name} with a score: trial {best.number}, "
    head = f"# @package _global_\n# {title}{plan.search.score} {best.value:.6g}.\n# {_command(plan)}\n"
    given = [word for word in words(plan) if not word.startswith("objective=")]
    path.write_text(head + OmegaConf.to_yaml(experiment([*given, *overrides_of(best.params)])), encoding="utf-8")
    return path


def experiment(overrides: Sequence[str]) -> Any:
    """Turn overrides of train.py into an experiment file that composes to the same: groups to defaults, keys to values.

    Raises:
        ConfigError: an override that no experiment file can hold.
    """
    base: list[Any] = []
    added: dict[str, Any] = {}
    chosen: dict[str, Any] = {}
    values = OmegaConf.create({})
    for override in OverridesParser.create().parse_overrides([*overrides]):
        _refuse(override)
        value = override.value()
        if override.key_or_group == "experiment":
            base = [value]
        elif (conf_folder() / override.key_or_group).is_dir():
            (added if override.is_add() else chosen)[override.get_key_element().lstrip("+")] = value
        else:
            OmegaConf.update(values, override.key_or_group, value, force_add=True)
    further = [{f"/{group}": option} for group, option in added.items()]
    changed = [{f"override /{group}": option} for group, option in chosen.items()]
    defaults = [*base, *further, "_self_", *changed]  # Hydra wants what it overrides last
    return OmegaConf.merge(OmegaConf.create({"defaults": defaults}), values)


def _refuse(override: Any) -> None:
    key = str(override.key_or_group)
    if override.is_delete():
        raise ConfigError(f"{override.input_line} takes a key out, which no experiment file can; write {key}=null.")
    if override.is_sweep_override():
        raise ConfigError(f"{override.input_line} gives several values, as a grid does; put them into search.space.")
    if key.partition(".")[0].partition("/")[0] in FORBIDDEN:
        raise ConfigError(f"{override.input_line} is set by the sweep itself; leave it out, or see its --help.")


def check(overrides: Sequence[str]) -> Mapping[str, Any]:
    """Refuse overrides that a sweep cannot take; return the experiment that they make."""
    made: Mapping[str, Any] = experiment(overrides)
    return made
