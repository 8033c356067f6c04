"""One run, from a composed configuration to an artifact."""

import logging
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import Callback, seed_everything
from pytorch_lightning.loggers import Logger

from ganstyle.data.problem import Problem
from ganstyle.errors import ConfigError, TrainingError, suggestion
from ganstyle.training import checkpoint, folder, latest, launcher, lifeline
from ganstyle.training.build import build_callbacks, build_system, build_trainer
from ganstyle.training.callbacks.checkpoints import Checkpoints
from ganstyle.training.callbacks.curves import Curves
from ganstyle.training.callbacks.health import Health
from ganstyle.training.callbacks.quality import Quality
from ganstyle.training.callbacks.scoring import Scoring
from ganstyle.training.callbacks.signals import Signals
from ganstyle.training.callbacks.start import Start
from ganstyle.training.conclude import conclude
from ganstyle.training.export import describe
from ganstyle.training.launcher import process_number
from ganstyle.training.loaders import Loaders
from ganstyle.training.loggers import opened
from ganstyle.training.options import Options
from ganstyle.training.provenance import features_seen, provenance, teacher_seen
from ganstyle.training.system import System
from ganstyle.values import whole

log = logging.getLogger(__name__)
State = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    scores: Mapping[str, float]
    signal: int
    """The signal that ended it early, or 0."""


def run(config: DictConfig, path: Path, overrides: list[str]) -> Outcome:
    """Train what the configuration says in the folder `path`, going on from its checkpoint where it resumes."""
    if process_number() > 0:
        with lifeline.tied_to_parent():
            return _train(config, path, overrides)
    with folder.taken(path):
        return _train(config, path, overrides)


def _train(config: DictConfig, path: Path, overrides: list[str]) -> Outcome:
    options: Options = instantiate(config.trainer)
    launcher.check(options.devices, options.nodes)
    seed_everything(_checked_seed(config.seed), verbose=False)
    state = _state(config, path)
    problem: Problem = instantiate(config.data, _convert_="all")
    problem.write_down(path / folder.LEFT_OUT)
    system = build_system(config, options, problem)
    _warn_of_small_batches(options, system)
    identity = _identity(config, problem, system, overrides)
    if state is not None:
        _refuse_changes(state, identity)
        system.total_images = options.shared(state.get("total_images", system.total_images))
    identity["total_images"] = system.total_images
    callbacks = _callbacks(config, options, identity, state)
    _check_scores(config, callbacks, system, problem)
    began = time.monotonic()
    with opened(config.logger, path) as loggers:
        _record(config, path, overrides, state, system)
        _fit(system, callbacks, partial(_attempt, system, problem, options, callbacks, loggers, path), state)
        received = callbacks["signals"].received  # type: ignore[attr-defined]
        if received and process_number() == 0:
            log.info("stopped by %s; resume=last goes on from here.", signal.Signals(received).name)
        elif process_number() == 0:
            conclude(system, problem, identity["card"], path, time.monotonic() - began)
    return Outcome(system.scores, received)


def _attempt(
    system: System,
    problem: Problem,
    options: Options,
    callbacks: Mapping[str, Callback],
    loggers: list[Logger],
    path: Path,
    start: int,
) -> None:
    """Train from image number `start` to the end."""
    trainer = build_trainer(options, [*callbacks.values()], loggers, path)
    stop, size, workers = system.total_images, options.batch_size, options.workers
    trainer.fit(system, datamodule=Loaders(problem, start=start, stop=stop, batch_size=size, workers=workers))


def _fit(system: System, callbacks: Mapping[str, Callback], train: Callable[[int], None], state: State | None) -> None:
    """Train to the end; a run that collapses goes on from the state that the watch over it gives, if it gives one."""
    while state is None or not _is_over(system, callbacks, state):
        try:
            return train(state["images_seen"] if state else 0)
        except TrainingError:
            state = _rolled_back(callbacks, system)
            if state is None:
                raise
    return checkpoint.restore_results(system, state)


def _is_over(system: System, callbacks: Mapping[str, Callback], state: State) -> bool:
    """Say whether a run is at its end, or ended early because its pictures did not get better."""
    ended = (each.has_ended(state["scores"]) for each in callbacks.values() if isinstance(each, Quality))
    return state["images_seen"] >= system.total_images or any(ended)


def _rolled_back(callbacks: Mapping[str, Callback], system: System) -> State | None:
    """Return the state from which a collapsed run goes on, and tell it to all who begin with one; None to give up."""
    watches = [callback for callback in callbacks.values() if isinstance(callback, Health)]
    state = watches[0].rolled_back(system) if watches else None
    if state is not None:
        for callback in callbacks.values():
            if isinstance(callback, Start | Checkpoints):
                callback.go_on_from(state)
    return state


def _warn_of_small_batches(options: Options, system: System) -> None:
    least = system.method.least_batch
    if options.batch_size < least and process_number() == 0:
        log.warning(
            "trainer.batch_size=%d: %s compares the pictures of a batch with each other, too; give %d or more per "
            "device, or results come out too much alike.",
            *(options.batch_size, type(system.method).__name__, least),
        )


def _checked_seed(seed: object) -> int:
    if (checked := whole("seed", seed, least=0)) >= 2**32:
        raise ConfigError(f"seed must be less than 2**32, but got {seed!r}.")
    return checked


def _state(config: DictConfig, path: Path) -> State | None:
    """Load what to go on from: the last checkpoint of a resumed run, or nothing."""
    if not config.resume:
        return None
    asked = Path(str(config.resume))
    state = checkpoint.load(asked) if asked.suffix == ".ckpt" else latest.newest(path / "checkpoints")
    if state is None and process_number() == 0:
        log.warning("%s holds no checkpoint yet, so there is nothing to resume: the run starts over.", path)
    return state


def _refuse_changes(state: State, identity: State) -> None:
    folder.refuse_changes(state["config"], identity["config"])
    folder.refuse_other_pictures(state["card"]["data"], identity["card"]["data"])


def _identity(config: DictConfig, problem: Problem, system: System, overrides: list[str]) -> State:
    """Collect what a checkpoint carries beside the state: plain values, enough to write the artifact's card."""
    plain: Any = OmegaConf.to_container(config, resolve=True)
    training = {"experiment": config.name, "overrides": overrides, "seed": config.seed, **provenance()}
    training |= features_seen(system.method, plain["perceptual"]) | teacher_seen(plain["system"]["method"])
    card = {
        "styles": [config.name],
        "data": problem.card,
        "training": training | {"ema_half_life": system.half_life},
        "losses": plain["system"]["weights"],
        "licence": config.licence or problem.card.get("licence", "unstated"),
    }
    networks = {name: describe(network) for name, network in system.keepers.items()}
    return {"config": plain, "card": card, "artifacts": networks}


def _callbacks(config: DictConfig, options: Options, identity: State, state: State | None) -> dict[str, Callback]:
    """Build all callbacks; checkpoints come last, so that they hold what the others did."""
    configured = build_callbacks(config)
    for callback in configured.values():
        if isinstance(callback, Checkpoints):
            callback.begin(identity, state)
        if isinstance(callback, Health):
            callback.begin(next((c for c in configured.values() if isinstance(c, Checkpoints)), None))
    own = {"start": Start(config.seed, state), "signals": Signals(), "curves": Curves(options.log_every)}
    return dict(sorted({**own, **configured}.items(), key=lambda item: isinstance(item[1], Checkpoints)))


def _check_scores(config: DictConfig, callbacks: Mapping[str, Callback], system: System, problem: Problem) -> None:
    """Refuse, before the first batch, to be led by a score that no callback will give."""
    judges = [callback for callback in callbacks.values() if isinstance(callback, Scoring)]
    known = [name for judge in judges for name in judge.score_names(system, problem)]
    for key in ("callbacks.checkpoints.monitor", "objective"):
        name = OmegaConf.select(config, key)
        if name and str(name).removeprefix("-") not in known:
            told = suggestion(str(name), known) if known else "; it needs callbacks.validation or callbacks.quality."
            raise ConfigError(f"{key}={name} is not a score of this run{told}")


def _record(config: DictConfig, path: Path, overrides: list[str], state: State | None, system: System) -> None:
    if process_number() > 0:
        return
    folder.record(path, config, overrides)
    latest.tidy(path / "checkpoints")
    (path / folder.LEFT_OUT).unlink(missing_ok=True)  # a picture that was lost may be back
    if state is not None:
        log.info("resuming %s at %d of %d images.", path, state["images_seen"], system.total_images)
    else:
        log.info("training %s for %d images in %s.", config.name, system.total_images, path)
