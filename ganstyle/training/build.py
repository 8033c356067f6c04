"""From a composed configuration to the objects of a run."""

import inspect
import logging
import warnings
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.loggers import Logger
from torch import nn

from ganstyle.data.problem import Problem
from ganstyle.errors import ConfigError
from ganstyle.training.distributed import TurnwiseDDP
from ganstyle.training.launcher import process_number
from ganstyle.training.options import Options
from ganstyle.training.passes import Graphs
from ganstyle.training.system import OptimizerFactory, System


def build_system(config: DictConfig, options: Options, problem: Problem) -> System:
    """Build networks, method and objective, on the CPU, as the options want them laid out and compiled.

    Raises ConfigError for a method that needs pairs where the problem has none.
    """
    epoch = len(problem.train)
    total = options.total_images(epoch)
    parts = instantiate(config.system, total_images=total, epoch_images=epoch, _partial_=True, _convert_="all")
    if options.fuses():
        parts.keywords["optimizers"] = {n: fused(make) for n, make in parts.keywords["optimizers"].items()}
    system: System = parts()
    if system.method.needs_pairs and not problem.paired:
        raise ConfigError(
            f"{type(system.method).__name__} learns from pairs, but sources and targets of {problem.card['name']} show "
            "different things; take method=cyclegan, cut or perceptual_gan, or data=paired."
        )
    if options.uses_channels_last():
        system.method.to(memory_format=torch.channels_last)
        system.averages.to(memory_format=torch.channels_last)
    if options.compiles():
        for network in compilable(system):
            network.compile()
    if options.replays():
        system.passes = Graphs()
    for field, pool in system.method.pools.items():
        pool.reseed(config.seed, field, process_number())
    return system


def fused(factory: OptimizerFactory) -> OptimizerFactory:
    """Ask an optimizer that offers a fused step for it, unless its configuration says otherwise."""
    if not isinstance(factory, partial) or "fused" in factory.keywords:
        return factory
    return partial(factory, fused=True) if "fused" in inspect.signature(factory.func).parameters else factory


def compilable(system: System) -> Iterator[nn.Module]:
    """Yield the sub-networks that may be compiled: not those whose gradient is differentiated again."""
    twice = {id(module) for p in system.players if p.penalties for module in p.network.modules()}
    for child in system.method.children():
        networks = child.values() if isinstance(child, nn.ModuleDict) else [child]
        yield from (network for network in networks if id(network) not in twice)


def build_trainer(options: Options, callbacks: list[Callback], loggers: list[Logger], folder: Path) -> Trainer:
    """Build Lightning's trainer: it places, launches and calls; budget, validation and checkpoints are ganstyle's."""
    _silence_adverts()
    return Trainer(
        accelerator=options.accelerator,
        devices=options.devices,
        num_nodes=options.nodes,
        strategy=TurnwiseDDP() if options.ranks > 1 else "auto",
        precision=options.resolved_precision(),  # type: ignore[arg-type]
        max_epochs=1,
        callbacks=callbacks,
        logger=loggers,
        default_root_dir=folder,
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        limit_val_batches=0,
    )


def _silence_adverts() -> None:
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*in eval mode at the start of training.*")  # the averages, on purpose


def build_callbacks(config: DictConfig) -> dict[str, Callback]:
    """Build the callbacks that `conf/callbacks` lists, in its order."""
    callbacks: Mapping[str, Any] = instantiate(config.callbacks, _convert_="all")
    return {name: callback for name, callback in callbacks.items() if callback is not None}
