"""A sweep in a process of its own, for tests that kill it: `python sweeping.py FOLDER TRIALS WORKERS`."""

import sys
from pathlib import Path

from ganstyle.training.search import Range, Search
from ganstyle.training.study import Plan, opened
from ganstyle.training.sweep import Sweep

TRAINEE = (sys.executable, str(Path(__file__).with_name("trainee.py")))


def plan(folder: Path, trials: int = 6, workers: int = 1, **knobs: object) -> Plan:
    """A sweep of one number, on the stand-in for train.py."""
    given = {"objective": "-quality/gain", "sampler": "random", "pruner": "none", "unpruned": 2, "seed": 0} | knobs
    storage = given.pop("storage", None)
    space = given.pop("space", {"system.ema": Range(0.0, 6.0, False, False, None)})
    search = Search("default", trials, space=space, overrides=(), **given)
    return Plan(search, (), folder, storage, workers, (), TRAINEE, poll=0.05)


def main() -> None:
    """Sweep."""
    folder, trials, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    own = plan(folder, trials, workers)
    number = Sweep(own, opened(own)).run()
    sys.exit(128 + number if number else 0)


if __name__ == "__main__":
    main()
