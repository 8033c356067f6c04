"""One run, from a composed configuration to an artifact."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import Callback, seed_everything
from pytorch_lightning.loggers import Logger

from ganstyle.data.problem import Problem
from ganstyle.training import checkpoint, folder
from ganstyle.training.build import build_callbacks, build_system, build_trainer
from ganstyle.training.callbacks.checkpoints import Checkpoints
from ganstyle.training.callbacks.curves import Curves
from ganstyle.training.callbacks.signals import Signals
from ganstyle.training.callbacks.start import Start
from ganstyle.training.conclude import conclude
from ganstyle.training.distributed import process_number
from ganstyle.training.export import describe
from ganstyle.training.loaders import Loaders
from ganstyle.training.loggers import finish
from ganstyle.training.options import Options
from ganstyle.training.provenance import provenance
from ganstyle.training.system import System

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
    options: Options = instantiate(config.trainer)
    seed_everything(config.seed, verbose=False)
    if process_number() > 0:
        return _train(config, options, path, overrides, _state(config, path))
    new = not path.exists()
    writer = folder.lock(path)
    try:
        return _train(config, options, path, overrides, _state(config, path))
    except BaseException:
        if new:
            folder.discard_if_unused(path)
        raise
    finally:
        writer.close()


def _state(config: DictConfig, path: Path) -> State | None:
    """Load what to go on from: the last checkpoint of a resumed run, or nothing."""
    if not config.resume:
        return None
    asked = Path(str(config.resume))
    file = asked if asked.suffix == ".ckpt" else path / "checkpoints" / "last.ckpt"
    if file.is_file() or asked.suffix == ".ckpt":
        return checkpoint.load(file)
    log.warning("%s holds no checkpoint yet, so there is nothing to resume: the run starts over.", path)
    return None


def _train(config: DictConfig, options: Options, path: Path, overrides: list[str], state: State | None) -> Outcome:
    problem: Problem = instantiate(config.data, _convert_="all")
    system = build_system(config, options, problem)
    system.folder = path
    system.extras = _extras(config, problem, system, overrides)
    if state is not None:
        _refuse_changes(state, system.extras)
        log.warning("resuming %s at %d of %d images.", path, state["images_seen"], system.total_images)
    callbacks = _callbacks(config, options, state, system)
    loaders = Loaders(problem, total_images=system.total_images, batch_size=options.batch_size, workers=options.workers)
    loaders.start = state["images_seen"] if state else 0
    loggers = _open_records(config, path, overrides)
    began = time.monotonic()
    trainer = build_trainer(options, list(callbacks.values()), loggers, path)
    if loaders.start < system.total_images:
        trainer.fit(system, datamodule=loaders)
    signals = callbacks["signals"]
    assert isinstance(signals, Signals)
    if not signals.received and process_number() == 0:
        conclude(system, problem, time.monotonic() - began)
    finish(loggers)
    return Outcome(system.scores, signals.received)


def _refuse_changes(state: State, extras: Mapping[str, Any]) -> None:
    folder.refuse_changes(state["config"], extras["config"])
    folder.refuse_changes({"pictures": state["card"]["data"]}, {"pictures": extras["card"]["data"]})


def _extras(config: DictConfig, problem: Problem, system: System, overrides: list[str]) -> State:
    """Collect what a checkpoint carries beside the state: plain values, enough to write the artifact's card."""
    plain: Any = OmegaConf.to_container(config, resolve=True)
    training = {"experiment": config.name, "overrides": overrides, "seed": config.seed, **provenance()}
    card = {
        "styles": [config.name],
        "data": problem.card,
        "training": training | {"ema_half_life": system.half_life},
        "losses": plain["system"]["weights"],
        "licence": config.licence or problem.card.get("licence", "unstated"),
    }
    networks = {name: describe(network) for name, network in system.keepers.items()}
    return {"config": plain, "card": card, "artifacts": networks}


def _callbacks(config: DictConfig, options: Options, state: State | None, system: System) -> dict[str, Callback]:
    configured = build_callbacks(config)
    for callback in configured.values():
        if state is not None and isinstance(callback, Checkpoints):
            callback.resume(state, system)
    own = {"start": Start(config.seed, state), "signals": Signals(), "curves": Curves(options.log_every)}
    return {**own, **configured}


def _open_records(config: DictConfig, path: Path, overrides: list[str]) -> list[Logger]:
    if process_number() > 0:
        return []
    folder.record(path, config, overrides)
    folder.log_to(path)
    return [make(path) for make in instantiate(config.logger).values() if make is not None]
