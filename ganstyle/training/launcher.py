"""Who started this process (Lightning, torchrun or srun), as which rank, and whether as one of as many as it should."""

import os
from collections.abc import Callable
from datetime import timedelta

from ganstyle.errors import ConfigError

PATIENCE = timedelta(minutes=5)
"""What a rank waits for the first one to say where the run lies."""
FAMILIES = ("SLURM_", "TORCHELASTIC_", "PL_")
"""How variables begin in which launchers say who is who."""
KEPT = ("SLURM_TMPDIR",)
"""Those that say something else."""
PLACES = frozenset(
    [
        "RANK",
        "LOCAL_RANK",
        "NODE_RANK",
        "GROUP_RANK",
        "ROLE_RANK",
        "ROLE_NAME",
        "WORLD_SIZE",
        "LOCAL_WORLD_SIZE",
        "GROUP_WORLD_SIZE",
        "ROLE_WORLD_SIZE",
        "MASTER_ADDR",
        "MASTER_PORT",
    ]
)
"""The others; not all that begins with LOCAL_, such as a cluster's LOCAL_SCRATCH."""


def by_torchrun() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def in_slurm_job() -> bool:
    """Whether Lightning counts on SLURM to start all ranks: in every job but an interactive one."""
    return "SLURM_NTASKS" in os.environ and not _is_interactive() and not by_torchrun()


def _is_interactive() -> bool:
    return os.environ.get("SLURM_JOB_NAME") in ("bash", "interactive")


def by_srun() -> bool:
    """Whether srun started this process beside others."""
    return in_slurm_job() and _number("SLURM_NTASKS") > 1


def is_one_of_several() -> bool:
    """Whether torchrun or srun started other processes with this one."""
    if by_torchrun():
        return _number("WORLD_SIZE", 1) > 1
    is_step = any(name in os.environ for name in ("SLURM_STEP_ID", "SLURM_STEPID"))
    return _number("SLURM_STEP_NUM_TASKS", _number("SLURM_NTASKS", 1) if is_step else 1) > 1


def own_environment() -> dict[str, str]:
    """Return the environment for a process that begins a run of its own: without what a launcher told this one."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or not (name in PLACES or name.startswith(FAMILIES))
    }


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
    elif _is_interactive():
        _check_interactive()
    elif nodes > 1 and "MASTER_ADDR" not in os.environ:
        raise ConfigError(
            f"nobody starts the processes of the other nodes for {asked}; start them with srun or torchrun, or, in a "
            "sweep, whose trials have one node each, take trainer.nodes=1."
        )


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
    if tasks > 1 and not is_one_of_several():
        raise ConfigError(
            f"this SLURM job has {tasks} tasks, but only one of them began: write srun before python, and {asked}."
        )
    if tasks > 1 and "SLURM_NTASKS_PER_NODE" not in os.environ:
        raise ConfigError(f"SLURM's --ntasks does not say how many tasks a node gets; write {lines} instead.")


def _check_interactive() -> None:
    """Let one process start its ranks by itself, but not several, which Lightning would not bring together."""
    name, tasks = os.environ["SLURM_JOB_NAME"], _number("SLURM_STEP_NUM_TASKS", 1)
    if tasks > 1:
        raise ConfigError(
            f"srun started {tasks} tasks, each of which would train for itself, because this job is called {name!r}, "
            "as a shell is; begin with salloc --job-name=train, or, on one node, leave srun out."
        )


def _as_words(devices: int, nodes: int) -> str:
    return f"trainer=ddp trainer.devices={devices} trainer.nodes={nodes}"


def _number(name: str, otherwise: int | None = None) -> int:
    return int(os.environ[name]) if otherwise is None else int(os.environ.get(name, otherwise))
