"""Who started this process (Lightning, torchrun or srun), as which rank, and whether as one of as many as it should."""

import os
from collections.abc import Callable
from datetime import timedelta

from ganstyle.errors import ConfigError

PATIENCE = timedelta(minutes=5)
"""What a rank waits for the first one to say where the run lies."""


def by_torchrun() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def in_slurm_job() -> bool:
    """Whether Lightning counts on SLURM to start all ranks: in every job but an interactive one."""
    interactive = os.environ.get("SLURM_JOB_NAME") in ("bash", "interactive")
    return "SLURM_NTASKS" in os.environ and not interactive and not by_torchrun()


def by_srun() -> bool:
    """Whether srun started this process beside others."""
    return in_slurm_job() and _number("SLURM_NTASKS") > 1


def process_number() -> int:
    """Return the rank that the launcher gave this process, before a process group exists."""
    if "RANK" in os.environ:
        return _number("RANK")
    return _number("SLURM_PROCID", 0) if by_srun() else _number("LOCAL_RANK", 0)


def agreed(make: Callable[[], str]) -> str:
    """Return what the first rank makes, on all ranks that torchrun started, on whichever machine.

    They ask the store in which torchrun's agents met, since the process group of the run is made much later.
    """
    if not by_torchrun() or _number("WORLD_SIZE", 1) == 1:
        return make()
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        raise ConfigError("torchrun keeps no store for its processes; take --rdzv_backend c10d, or --standalone.")
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    address, port = os.environ["MASTER_ADDR"], _number("MASTER_PORT")
    store = TCPStore(address, port, is_master=False, timeout=PATIENCE)
    key = f"ganstyle/run/{os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}"
    if process_number() == 0:
        store.set(key, make())
    return str(store.get(key).decode())


def check(devices: int, nodes: int) -> None:
    """Refuse to begin where the launcher started other processes than the run asks for.

    Raises:
        ConfigError: says what to write instead.
    """
    asked = f"trainer.devices={devices} trainer.nodes={nodes}"
    if by_torchrun():
        _check_torchrun(asked, devices, nodes)
    elif in_slurm_job():
        _check_slurm(asked, devices, nodes)


def _check_torchrun(asked: str, devices: int, nodes: int) -> None:
    here, there = _number("LOCAL_WORLD_SIZE"), _number("GROUP_WORLD_SIZE", 1)
    if (here, there) != (devices, nodes):
        raise ConfigError(
            f"torchrun started {here} processes on each of {there} nodes, but the configuration has {asked}; "
            f"give train.py {_as_words(here, there)}, or torchrun --nnodes {nodes} --nproc_per_node {devices}."
        )


def _check_slurm(asked: str, devices: int, nodes: int) -> None:
    tasks, there = _number("SLURM_NTASKS"), _number("SLURM_NNODES", nodes)
    lines = f"#SBATCH --nodes={nodes} and #SBATCH --ntasks-per-node={devices}"
    if tasks != devices * nodes or there != nodes or _number("SLURM_NTASKS_PER_NODE", devices) != devices:
        raise ConfigError(
            f"this SLURM job has {tasks} tasks on {there} nodes, but the configuration has {asked}; one task is one "
            f"device: write {lines}, or give train.py {_as_words(tasks // there, there)}."
        )
    if tasks > 1 and not any(name in os.environ for name in ("SLURM_STEP_ID", "SLURM_STEPID")):
        raise ConfigError(
            f"this SLURM job has {tasks} tasks, but only one of them began: write srun before python, and {asked}."
        )
    if tasks > 1 and "SLURM_NTASKS_PER_NODE" not in os.environ:
        raise ConfigError(f"SLURM's --ntasks does not say how many tasks a node gets; write {lines} instead.")


def _as_words(devices: int, nodes: int) -> str:
    return f"trainer=ddp trainer.devices={devices} trainer.nodes={nodes}"


def _number(name: str, otherwise: int | None = None) -> int:
    return int(os.environ[name]) if otherwise is None else int(os.environ.get(name, otherwise))
