"""`ganstyle sweep`: searches for the configuration that scores best."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ganstyle.errors import ConfigError, GanstyleError

if TYPE_CHECKING:
    from ganstyle.training.study import Plan

DETAILS = """\
Takes the overrides of train.py, and sweep=NAME for a search space: a file of conf/sweep with a search: node, or a path.
Every trial is a `python train.py` of its own. The same command goes on with a sweep that was stopped or killed, and
given twice at a time, also on two machines with one --folder, it works on it twice as fast. A file of conf/sweep
with a hydra: node is a grid, for `python train.py -m`.

The folder gets trials.csv, experiment/best.yaml (python train.py --config-dir FOLDER experiment=best), history.png,
parallel.png, importance.png, the runs in trials/ and what they said in logs/. docs/guides/sweeps.md has all of it.

examples:
  ganstyle sweep experiment=vangogh sweep=default
  ganstyle sweep experiment=vangogh sweep=manner data.source=PHOTOGRAPHS --trials 60
  ganstyle sweep experiment=monet --workers 4 --gpus 0,1,2,3 --storage postgresql://host/database
"""


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("overrides", metavar="KEY=VALUE", nargs="*", help="as train.py takes them, and sweep=NAME")
    parser.add_argument("--trials", metavar="N", type=int, help="altogether (default: what the search space says)")
    parser.add_argument("--workers", metavar="N", type=int, default=1, help="trials at a time (default: %(default)s)")
    parser.add_argument("--gpus", metavar="LIST", default="", help="devices that the workers take in turn, e.g. 0,1")
    parser.add_argument("--storage", metavar="URL", help="Optuna's database or journal file (default: in the folder)")
    parser.add_argument("--folder", metavar="FOLDER", type=Path, help="(default: runs/<experiment>/sweep_<NAME>)")


def run(words: Namespace) -> int:
    """Search, print what was found, and return 0, 1 where no trial has a score, or 128 and the signal that ended it."""
    try:
        import optuna  # noqa: F401
    except ModuleNotFoundError as error:
        raise SweepError("`ganstyle sweep` needs the package optuna; run: pip install 'ganstyle[sweep]'.") from error
    from ganstyle.training.findings import conclude
    from ganstyle.training.study import opened
    from ganstyle.training.sweep import Sweep

    plan = _plan(words)
    study = opened(plan)
    print(f"{plan.search.trials} trials in {plan.folder}", flush=True)
    try:
        signal = Sweep(plan, study, lambda line: print(line, flush=True)).run()
    finally:
        found = conclude(plan, study)
        print("\n".join([*found.lines, *map(str, found.files)]), flush=True)
    if signal:
        return 128 + signal
    return 0 if found.best else 1


class SweepError(GanstyleError):
    """A sweep that cannot begin."""


def _plan(words: Namespace) -> "Plan":
    from dataclasses import replace

    from ganstyle.training.composed import composed
    from ganstyle.training.findings import check
    from ganstyle.training.search import first_point, overrides_of, read
    from ganstyle.training.study import Plan

    if words.workers < 1 or (words.trials is not None and words.trials < 1):
        raise SweepError("--workers and --trials are numbers of trials, at least 1.")
    chosen = [word.partition("=")[2] for word in words.overrides if word.startswith("sweep=")]
    search = read(chosen[-1] if chosen else "default")
    search = replace(search, trials=words.trials or search.trials)
    given = tuple(word for word in words.overrides if not word.startswith("sweep="))
    objective = [word.partition("=")[2] for word in given if word.startswith("objective=")]
    if objective and not objective[-1].removeprefix("-"):
        raise SweepError("objective= names no score; write one, such as -quality/gain, or leave it out.")
    if objective:
        search = replace(search, objective=objective[-1])
    given = tuple(word for word in given if not word.startswith("objective="))
    tried = [*search.overrides, *given, *overrides_of(first_point(search.space))]
    check(tried)
    config = composed(tried)
    if search.pruner != "none" and not config.logger.get("csv"):
        raise ConfigError("a sweep reads scores from the csv logger to end trials early; take logger=csv.")
    folder = words.folder or Path(config.runs) / config.name / f"sweep_{search.name}"
    gpus = tuple(name for name in words.gpus.split(",") if name)
    return Plan(search, given, folder, words.storage, words.workers, gpus)
