"""Who started a process, as which rank, and whether with as many others as the run asks for."""

import threading
from collections.abc import Mapping

import pytest

from ganstyle.errors import ConfigError
from ganstyle.training import launcher, lifeline

SRUN = {
    "SLURM_JOB_ID": "7",
    "SLURM_JOB_NAME": "train",
    "SLURM_STEP_ID": "0",
    "SLURM_NNODES": "2",
    "SLURM_NTASKS": "8",
    "SLURM_NTASKS_PER_NODE": "4",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
}
TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "none",
    "RANK": "5",
    "LOCAL_RANK": "1",
    "WORLD_SIZE": "8",
    "LOCAL_WORLD_SIZE": "4",
    "GROUP_WORLD_SIZE": "2",
}
BY_HAND = {"MASTER_ADDR": "node1", "NODE_RANK": "1"}
INTERACTIVE = {
    **SRUN,
    "SLURM_JOB_NAME": "interactive",
    "SLURM_STEP_NUM_TASKS": "1",
    "SLURM_PROCID": "0",
    "LOCAL_RANK": "3",
}


def started(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], without: str = "") -> None:
    for name in {*INTERACTIVE, *TORCHRUN, *BY_HAND} - environment.keys() | ({without} if without else set()):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        if name != without:
            monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("environment", "number"),
    [({}, 0), ({"LOCAL_RANK": "1"}, 1), (TORCHRUN, 5), (SRUN, 5), ({**SRUN, **TORCHRUN, "RANK": "2"}, 2)],
    ids=["alone", "lightning", "torchrun", "srun", "torchrun in a job"],
)
def test_the_rank_is_what_the_launcher_says(
    monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], number: int
) -> None:
    started(monkeypatch, environment)
    assert launcher.process_number() == number


def test_ranks_that_lightning_starts_in_an_interactive_allocation_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started(monkeypatch, INTERACTIVE)
    assert launcher.process_number() == 3
    launcher.check(4, 1)


@pytest.mark.parametrize("name", ["interactive", "bash"])
def test_srun_in_an_interactive_allocation_is_refused_by_every_task(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    started(monkeypatch, {**SRUN, "SLURM_JOB_NAME": name, "SLURM_STEP_NUM_TASKS": "8"})
    for devices, nodes in ((4, 2), (1, 1)):
        with pytest.raises(
            ConfigError, match=rf"^srun started 8 tasks, .* called '{name}', .* salloc --job-name=train,"
        ):
            launcher.check(devices, nodes)


def test_torchrun_starts_the_ranks_of_an_interactive_allocation_under_srun(monkeypatch: pytest.MonkeyPatch) -> None:
    started(monkeypatch, {**SRUN, "SLURM_JOB_NAME": "interactive", "SLURM_STEP_NUM_TASKS": "2", **TORCHRUN})
    launcher.check(4, 2)


def test_a_shell_that_is_a_step_itself_is_not_what_srun_starts_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    started(monkeypatch, {**SRUN, "SLURM_STEP_NUM_TASKS": "1"})
    with pytest.raises(ConfigError, match="has 8 tasks, but only one of them began: write srun before python"):
        launcher.check(4, 2)


@pytest.mark.parametrize("environment", [BY_HAND, SRUN, TORCHRUN], ids=["by hand", "srun", "torchrun"])
def test_as_many_processes_as_the_run_asks_for_are_right(
    monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]
) -> None:
    started(monkeypatch, environment)
    launcher.check(4, 2)


@pytest.mark.parametrize(
    ("environment", "without", "told"),
    [
        (SRUN, "", "8 tasks on 2 nodes, but the configuration has trainer.devices=1 trainer.nodes=1; one task is one"),
        ({**SRUN, "SLURM_NNODES": "1"}, "", "trainer=ddp trainer.devices=8 trainer.nodes=1."),
        (TORCHRUN, "", "torchrun started 4 processes on each of 2 nodes, but the configuration has trainer.devices=1"),
    ],
    ids=["srun", "one node", "torchrun"],
)
def test_other_processes_than_the_run_asks_for_are_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], without: str, told: str
) -> None:
    started(monkeypatch, environment, without)
    with pytest.raises(ConfigError) as error:
        launcher.check(1, 1)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("SLURM_STEP_ID", "has 8 tasks, but only one of them began: write srun before python, and trainer.devices=4"),
        ("SLURM_NTASKS_PER_NODE", "write #SBATCH --nodes=2 and #SBATCH --ntasks-per-node=4 instead."),
    ],
)
def test_a_job_that_would_wait_for_ever_or_guess_is_refused(
    monkeypatch: pytest.MonkeyPatch, missing: str, told: str
) -> None:
    started(monkeypatch, SRUN, without=missing)
    with pytest.raises(ConfigError, match=told):
        launcher.check(4, 2)


def test_several_nodes_that_nobody_starts_are_refused_before_they_wait_for_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started(monkeypatch, {})
    with pytest.raises(ConfigError, match=r"^nobody starts the processes of the other nodes for"):
        launcher.check(4, 2)


@pytest.mark.parametrize(
    ("environment", "several"),
    [
        (SRUN, True),
        (TORCHRUN, True),
        ({**INTERACTIVE, "SLURM_STEP_NUM_TASKS": "2"}, True),
        ({**SRUN, **TORCHRUN}, True),
        ({}, False),
        ({name: value for name, value in SRUN.items() if name != "SLURM_STEP_ID"}, False),
        (INTERACTIVE, False),
        ({**TORCHRUN, "WORLD_SIZE": "1"}, False),
    ],
    ids=["srun", "torchrun", "interactive", "torchrun in a job", "alone", "a job's script", "shell", "one by torchrun"],
)
def test_one_of_several_is_who_was_started_with_others(
    monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], several: bool
) -> None:
    started(monkeypatch, environment)
    assert launcher.is_one_of_several() is several


def test_a_run_of_its_own_is_told_nothing_by_a_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_SCRATCH", "/fast")
    started(monkeypatch, {**SRUN, **TORCHRUN, **BY_HAND, "ROLE_RANK": "5", "PL_GLOBAL_SEED": "0"})
    kept = launcher.own_environment()
    assert kept.keys().isdisjoint({*SRUN, *TORCHRUN, *BY_HAND, "ROLE_RANK", "PL_GLOBAL_SEED"})
    assert kept["LOCAL_SCRATCH"] == "/fast"


def test_a_rank_ends_that_looks_for_its_parent_when_that_is_gone_already(monkeypatch: pytest.MonkeyPatch) -> None:
    started(monkeypatch, {"LOCAL_RANK": "1", lifeline.STARTER: "-1"})
    ended, said = threading.Event(), list[str]()
    monkeypatch.setattr(lifeline, "GRACE", 0.0)
    monkeypatch.setattr(lifeline, "_end", lambda sentence: (said.append(sentence), ended.set()))
    with lifeline.tied_to_parent():
        assert ended.wait(10)
    assert said == [f"the first process of this run is gone; {lifeline.ADVICE}"]


def test_a_rank_whose_parent_lives_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    started(monkeypatch, {"LOCAL_RANK": "1"})
    monkeypatch.setattr(lifeline, "GRACE", 0.0)
    monkeypatch.setattr(lifeline, "POLL", 0.01)
    monkeypatch.setattr(lifeline, "_end", pytest.fail)
    before = threading.active_count()
    with lifeline.tied_to_parent():
        assert threading.active_count() == before + 1
