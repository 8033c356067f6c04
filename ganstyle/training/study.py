"""The study of a sweep: where it is kept, what it samples, when it prunes, and what counts."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from ganstyle.draws import seed_of
from ganstyle.errors import ConfigError
from ganstyle.training import claims
from ganstyle.training.search import Choice, Dimension, Search, plain

IDENTITY, RUN, REASON = "sweep", "run", "failure"
"""Attributes: of the study, what is searched; of a trial, the folder of its run, and why it failed."""
NAME, TRIALS = "study.txt", "trials"
"""In a sweep's folder: the file that holds the study's name, and the folder of all runs."""

FLEETING = ("sqlite://", "sqlite:///", "sqlite:///:memory:")
"""Databases in memory, of which every look opens a new one."""


@dataclass(frozen=True)
class Plan:
    """One sweep, and how much of the machine it takes."""

    search: Search
    words: tuple[str, ...]
    """Overrides that the user gives to every trial."""
    folder: Path
    """Of the sweep, shared by all that work on it."""
    storage: str | None = None
    """Optuna's: a database's URL, or a journal file; nothing means an SQLite file in the folder."""
    workers: int = 1
    """Trials at a time."""
    gpus: tuple[str, ...] = ()
    """Devices that the workers take in turn."""
    program: tuple[str, ...] = ()
    """What trains; nothing means train.py."""
    poll: float = 1.0
    """Seconds between two looks at a trial."""


def opened(plan: Plan) -> optuna.Study:
    """Open the study of a plan, or begin it.

    Raises:
        ConfigError: the study or the trials that are there belong to another search.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    plan.folder.mkdir(parents=True, exist_ok=True)
    direction = StudyDirection.MAXIMIZE if plan.search.maximizes else StudyDirection.MINIMIZE
    with claims.alone(plan.folder):
        kept = storage(plan)
        study = optuna.create_study(
            storage=kept,
            study_name=_name(plan.folder),
            direction=direction,
            pruner=_pruner(plan.search),
            load_if_exists=True,
        )
        identity = plain(plan.search, plan.words)
        before = study.user_attrs.get(IDENTITY)
        if before is None and (plan.folder / TRIALS).exists():
            optuna.delete_study(study_name=study.study_name, storage=kept)
            raise ConfigError(
                f"{plan.folder} holds trials that this storage knows nothing of; give the same --storage as before, or "
                "--folder for a new sweep."
            )
        if before is None:
            study.set_user_attr(IDENTITY, identity)
        elif before != identity:
            changed = ", ".join(key for key in identity if before.get(key) != identity[key])
            raise ConfigError(
                f"{plan.folder} holds a sweep with other {changed}; give --folder for a new one, or the same as before."
            )
    return study


def _name(folder: Path) -> str:
    """The study's name, which stays when the folder is moved or seen from another machine; call it while `alone`."""
    file, place = folder / NAME, folder.resolve()
    if not file.exists():
        was_swept = (folder / "logs").exists()  # before there was such a file
        own = f"{place.parent.name}-{place.name}-{seed_of(str(place)):016x}"
        draft = file.with_suffix(".part")
        draft.write_text(folder.name if was_swept else own, encoding="utf-8")
        draft.replace(file)
    return file.read_text(encoding="utf-8")


def storage(plan: Plan) -> BaseStorage:
    """Open what keeps the study of a plan; raises ConfigError where that cannot be."""
    own = str(plan.folder.resolve() / "study.db").replace("{", "{{").replace("}", "}}")  # Optuna formats it
    where = plan.storage or f"sqlite:///{own}"
    options = {"connect_args": {"timeout": 60}} if where.startswith("sqlite") else {}
    if where in FLEETING:
        raise ConfigError(f"--storage {where} is gone with its process; name a file, such as sqlite:///study.db.")
    try:
        if "://" not in where:
            return JournalStorage(JournalFileBackend(where))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            return RDBStorage(where, engine_kwargs=options)
    except Exception as error:  # every database has errors of its own
        told = (str(error) or type(error).__name__).splitlines()[0]
        raise ConfigError(f"--storage {where} cannot be opened: {told}.") from error


def _pruner(search: Search) -> BasePruner:
    return NopPruner() if search.pruner == "none" else MedianPruner(n_startup_trials=search.unpruned)


def sampler(search: Search, asked: int) -> BaseSampler:
    """Make a sampler by the seed and how many trials came before: a sweep that was killed goes on as it would have."""
    seed = seed_of(search.seed, "sweep", asked) % 2**32
    if search.sampler == "random":
        return RandomSampler(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant_liar was experimental once
        return TPESampler(seed=seed, constant_liar=True)


def distributions(space: Mapping[str, Dimension]) -> dict[str, BaseDistribution]:
    """Say in Optuna's words what is varied."""
    return {key: _distribution(of) for key, of in space.items()}


def _distribution(of: Dimension) -> BaseDistribution:
    if isinstance(of, Choice):
        return CategoricalDistribution(of.texts)
    if of.whole:
        return IntDistribution(int(of.low), int(of.high), log=of.log, step=int(of.step or 1))
    return FloatDistribution(of.low, of.high, log=of.log, step=of.step)


def counted(study: optuna.Study) -> list[FrozenTrial]:
    """List the trials that count, whatever became of them."""
    return [one for one in study.get_trials(deepcopy=False) if not claims.is_surplus(one)]


def told(study: optuna.Study) -> Sequence[str]:
    """Count the trials by what became of them."""
    trials = counted(study)
    states = {state: sum(one.state == state for one in trials) for state in TrialState}
    return [f"{number} {state.name.lower()}" for state, number in states.items() if number]


def words(plan: Plan) -> tuple[str, ...]:
    """List what every trial overrides: the search's words, then the user's, then what is judged."""
    return (*plan.search.overrides, *plan.words, f"objective={plan.search.objective}")
