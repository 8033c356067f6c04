"""Everything a run is at one moment, in one file: captured, written whole or not at all, and put back bit for bit."""

import logging
import os
import random
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any

import numpy as np
import torch

from ganstyle.draws import seed_of
from ganstyle.errors import CheckpointError
from ganstyle.training.distributed import gather, rank, world_size
from ganstyle.training.folder import FULL
from ganstyle.training.journal import Journal
from ganstyle.training.system import System

FORMAT = 1
log = logging.getLogger(__name__)
SCARCE = 1 << 20
"""Bytes free, below which a write that failed is taken to have filled the disk."""


def capture(system: System, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Collect the state of a run between two turns; every rank must call it, since RNG and pools are each rank's own.

    Frozen networks are not part of it. `identity` are plain values: the configuration, the card, the best score.
    """
    return {
        "format": FORMAT,
        "images_seen": system.images_seen,
        "turns": system.turns,
        "networks": {player.name: player.network.state_dict() for player in system.players},
        "generators": {name: network.state_dict() for name, network in system.keepers.items()},
        "optimizers": {p.name: o.state_dict() for p, o in zip(system.players, system.raw_optimizers, strict=True)},
        "ranks": gather(_own(system)),
        "scores": dict(system.scores),
        "scored": dict(system.scored),
        "latest": dict(system.latest),
        "rollbacks": system.rollbacks,
        "slowdown": system.slowdown,
        **identity,
    }


def restore(system: System, state: Mapping[str, Any]) -> None:
    """Put a captured state back into an equally built system whose optimizers exist.

    On another number of ranks, what belongs to all goes on exactly; what was each rank's own (batch norm's statistics,
    pools, memories, random numbers, the watch) goes round, and a rank that is new draws anew.

    Raises:
        CheckpointError: networks of another shape.
    """
    try:
        _restore_networks(system, state)
        restore_results(system, state)
    except (RuntimeError, KeyError) as error:
        raise CheckpointError(
            f"the checkpoint does not fit what this version builds from the same configuration: {error}"
        ) from error
    _restore_counts(system, state)
    before = len(state["ranks"])
    own = state["ranks"][rank() % before]
    for name, buffer in own["buffers"].items():
        system.get_buffer(name).copy_(buffer)
    for field, pool in system.method.pools.items():
        pool.load_state_dict(own["pools"][field])
    for name, memory in system.method.memories.items():
        memory.load_state_dict(own.get("memories", {}).get(name, {}))
    system.witness.load_state_dict(own.get("witness", {}))
    if rank() < before:
        _set_random_state(own["random"], system.device)
    else:
        torch.manual_seed(seed_of("rank", rank(), system.images_seen))
    if before != world_size() and rank() == 0:
        log.warning(
            "this run was on %d ranks and goes on with %d: weights, optimizers, averages, rates and the order of "
            "images go on exactly; batch norm, image pools, remembered targets and dropout differ from here.",
            *(before, world_size()),
        )


def _restore_networks(system: System, state: Mapping[str, Any]) -> None:
    for player, optimizer in zip(system.players, system.raw_optimizers, strict=True):
        player.network.load_state_dict(state["networks"][player.name])
        optimizer.load_state_dict(state["optimizers"][player.name])


def _restore_counts(system: System, state: Mapping[str, Any]) -> None:
    """Put the counters back, and forget what was gathered since: a run that is rolled back has trained before."""
    system.turns = int(state["turns"])
    system.rollbacks, system.slowdown = int(state.get("rollbacks", 0)), float(state.get("slowdown", 1.0))
    system.gathered = system.images_gathered = 0
    system.journal = Journal()


def restore_results(system: System, state: Mapping[str, Any]) -> None:
    """Put back what a run leaves behind: the generators that a user keeps, the scores, the count of images."""
    for name, network in system.keepers.items():
        network.load_state_dict(state["generators"][name])
    system.images_seen = system.images_before = int(state["images_seen"])
    system.scores, system.latest = dict(state["scores"]), dict(state["latest"])
    system.scored = dict(state.get("scored", {}))


def save(state: Mapping[str, Any], path: Path) -> None:
    """Write a checkpoint whole or not at all: temporary file, fsync, rename, fsync of the folder.

    Raises:
        CheckpointError: the disk is full; what was at `path` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            torch.save(dict(state), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        full = is_full(error, path.parent)
        temporary.unlink(missing_ok=True)
        if full:
            raise CheckpointError(_told_full(state, path)) from error
        raise
    sync_folder(path.parent)


def is_full(error: BaseException, folder: Path) -> bool:
    """Whether an error says that the disk of a folder is full; torch's writer does not say why it failed."""
    if isinstance(error, OSError):
        return error.errno in FULL
    return isinstance(error, RuntimeError) and shutil.disk_usage(folder).free < SCARCE


def _told_full(state: Mapping[str, Any], path: Path) -> str:
    megabytes, free = _bytes(state) / 1e6, shutil.disk_usage(path.parent).free / 1e6
    return (
        f"the disk of {path.parent} is full: a checkpoint takes {megabytes:.1f} MB and {free:.1f} MB are free. The "
        f"checkpoints written before are whole; free {3 * megabytes:.0f} MB or more, such as folders of old runs, or "
        "samples/ and checkpoints/healthy_*.ckpt of this one, then go on with resume=last."
    )


def _bytes(state: Any) -> int:
    """Count the bytes of all tensors in a nested state."""
    if isinstance(state, torch.Tensor):
        return state.numel() * state.element_size()
    parts = state.values() if isinstance(state, Mapping) else state if isinstance(state, list | tuple) else ()
    return sum(_bytes(part) for part in parts)


def sync_folder(folder: Path) -> None:
    """Make what was renamed in a folder outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class UnreadableError(CheckpointError):
    """A checkpoint that may be whole, but cannot be read now."""


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint without unpickling code.

    Raises:
        UnreadableError: the file system refuses, or memory is short; another time it may be read.
        CheckpointError: there is no file, it is damaged, or it is of another kind or version.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint {path}.")
    try:
        _check_sums(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, MemoryError) as error:
        raise UnreadableError(f"{path} cannot be read now ({error or 'memory is short'}); try again later.") from error
    except Exception as error:  # torch raises many kinds for a damaged file, all meaning the same to the user
        raise CheckpointError(f"{path} is not a checkpoint that can be read; it may be damaged ({error}).") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a ganstyle checkpoint of format {FORMAT}.")
    return state


def _check_sums(path: Path) -> None:
    """Compare every part of the file with its check sum, which `torch.load` does not."""
    with zipfile.ZipFile(path) as file:
        if part := file.testzip():
            raise zipfile.BadZipFile(f"wrong check sum of {part}")


def _own(system: System) -> dict[str, Any]:
    """Collect what every rank has for itself."""
    return {
        "random": _random_state(system.device),
        "buffers": _buffers(system),
        "pools": {field: pool.state_dict() for field, pool in system.method.pools.items()},
        "memories": {name: memory.state_dict() for name, memory in system.method.memories.items()},
        "witness": system.witness.state_dict(),
    }


def _buffers(system: System) -> dict[str, torch.Tensor]:
    """Each rank's running statistics, which are never exchanged; a single rank's are with its networks."""
    if world_size() == 1:
        return {}
    return {name: buffer.cpu() for name, buffer in system.named_buffers()}


def _random_state(device: torch.device) -> dict[str, Any]:
    name, keys, *rest = np.random.get_state(legacy=True)
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        "numpy": [name, torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest],
        "python": list(random.getstate()),
    }


def _set_random_state(state: Mapping[str, Any], device: torch.device) -> None:
    torch.set_rng_state(state["torch"])
    if state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"], device)
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
