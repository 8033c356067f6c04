"""Several ranks train as one: through Lightning's launcher and torchrun, on CPUs."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from data.pictures import fill
from training.game import NETWORKS, REPOSITORY, SMALL, UNPAIRED, checkpoint, differences, fault, newest, start, train

from ganstyle.training.launcher import own_environment
from ganstyle.training.trial import train_program

pytestmark = pytest.mark.slow
TWO = ("trainer=ddp", "trainer.devices=2", "trainer.accelerator=cpu", "trainer.batch_size=2")
DDP = (*TWO, "data.size=32")
WITNESS = ("+callbacks.witness._target_=training.faults.Witness",)
METHODS = {
    "pix2pix": ("data.val=1",),
    "cyclegan": ("method=cyclegan", *UNPAIRED, *NETWORKS, "system.method.pool_size=3"),
    "cut": ("method=cut", *UNPAIRED, *NETWORKS, "system.method.taps=null"),
    "fastcut": ("method=fastcut", *UNPAIRED, *NETWORKS, "system.method.taps=null"),
    "perceptual_gan": ("method=perceptual_gan", *UNPAIRED, *NETWORKS),
    "distill": ("method=distill", f"system.method.teacher.artifact={REPOSITORY}/examples/models/monet", *NETWORKS),
}
WATCHED = (
    "callbacks.health.every=2",
    "callbacks.health.sample_every=1",
    "callbacks.health.limits.warm_up=0",
    "callbacks.health.limits.patience=1",
)


def witnesses(run: Path) -> list[dict[str, Any]]:
    return [json.loads((run / f"witness_{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_method_trains_on_two_ranks_that_hold_equal_weights(tmp_path: Path, method: tuple[str, ...]) -> None:
    ended = train(tmp_path, *DDP, *WITNESS, *method)
    assert ended.code == 0, ended.err
    (run,) = (tmp_path / "smoke").iterdir()
    first, second = witnesses(run)
    assert first["weights"] == second["weights"]
    assert first["random"] != second["random"]
    ranks = checkpoint(run)["ranks"]
    assert len(ranks) == 2
    if "cyclegan" in str(method):
        assert first["pools"] != second["pools"]
        assert all(len(pool["images"]) == 3 for rank in ranks for pool in rank["pools"].values())
    assert ended.out.count("gain ") == 1
    assert (run / "artifact").is_dir()


CYCLES = (*DDP, *METHODS["cyclegan"], "trainer.max_images=32")
ENDINGS = {
    "one is told to end": (fault("term", 20), 143),
    "the first is killed": (fault("kill", 20), -9),
    "all are told to end while they validate": (fault("all", 24, on=1, during="validation"), 143),
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert train(folder, *CYCLES).code == 0
    return checkpoint(newest(folder))


@pytest.mark.parametrize("how", ENDINGS)
def test_two_ranks_resume_exactly(tmp_path: Path, undisturbed: dict[str, Any], how: str) -> None:
    overrides, code = ENDINGS[how]
    ended = train(tmp_path, *CYCLES, *overrides)
    assert ended.code == code, ended.err
    resumed = train(tmp_path, *CYCLES, "resume=last")
    assert resumed.code == 0, resumed.err
    kept = ("networks", "generators", "optimizers", "ranks", "images_seen", "scores")
    states = [undisturbed, checkpoint(newest(tmp_path))]
    assert differences(*({key: state[key] for key in kept} for state in states)) == []


@pytest.mark.parametrize(("before", "after"), [((1, 4), (2, 2)), ((2, 2), (1, 4))], ids=["more", "fewer"])
def test_a_run_goes_on_with_another_number_of_ranks(
    tmp_path: Path, before: tuple[int, int], after: tuple[int, int]
) -> None:
    def on(ranks: tuple[int, int]) -> tuple[str, ...]:
        return (*DDP, f"trainer.devices={ranks[0]}", f"trainer.batch_size={ranks[1]}")

    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir(), other.mkdir()
    assert train(one, *on(before)).code == 0
    assert train(other, *on(before), *fault("term", 16)).code == 143
    resumed = train(other, *on(after), "resume=last")
    assert resumed.code == 0, resumed.err
    assert f"was on {before[0]} ranks and goes on with {after[0]}" in resumed.err + resumed.out
    states = [checkpoint(newest(folder)) for folder in (one, other)]
    assert states[0]["images_seen"] == states[1]["images_seen"]
    assert len(states[1]["ranks"]) == after[0]
    weights = [state["generators"]["generator"] for state in states]
    for name, weight in weights[0].items():
        torch.testing.assert_close(weights[1][name], weight, atol=5e-3, rtol=0)


def test_another_batch_is_another_run(tmp_path: Path) -> None:
    assert train(tmp_path, *DDP, "trainer.devices=1", *fault("term", 8)).code == 143
    resumed = train(tmp_path, *DDP, "trainer.devices=1", "trainer.batch_size=4", "resume=last")
    assert resumed.code == 2
    assert "trainer.batch_size (was 2, now 4)" in resumed.err


def test_a_rank_that_fails_takes_the_others_with_it(tmp_path: Path) -> None:
    process = start(tmp_path, *DDP, *fault("raise", 8, on=1))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "a fault that a test wanted" in out + err
    assert "train.py: another process of this run ended; what it said stands above, unless it was killed: go on" in err


def test_a_signal_to_a_child_rank_ends_the_run_as_a_signal_to_the_first(tmp_path: Path) -> None:
    ended = train(tmp_path, *DDP, *fault("term", 8, on=1))
    assert ended.code == 128 + signal.SIGTERM, ended.err
    assert checkpoint(newest(tmp_path))["images_seen"] == 12


def test_a_loss_that_is_not_finite_stops_all_ranks_with_one_sentence(tmp_path: Path) -> None:
    ended = train(tmp_path, *DDP, *fault("blow_up", 12, on=1))
    assert ended.code == 2
    assert ended.err.count("is not finite; the last good checkpoint is kept") == 1, ended.err
    assert checkpoint(newest(tmp_path))["images_seen"] == 8


def by_torchrun(folder: Path, *overrides: str) -> list[Any]:
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    return [start(folder, *DDP, *overrides, launcher=launcher)]


def tree(process: int) -> list[int]:
    """A process and all that it started."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(each for child in children for each in tree(int(child)))]


def torchrun_that_has_saved(folder: Path) -> Any:
    """The agent of two ranks with a checkpoint and much to do."""
    (agent,) = by_torchrun(folder, "trainer.max_images=20000")
    while not list(folder.glob("smoke/*/checkpoints/last.ckpt")):
        assert agent.poll() is None
        time.sleep(0.2)
    return agent


def says_failed(agent: Any) -> str:
    """What torchrun and its ranks said; torchrun ends with 1 whatever happened, or rarely by an abort of its own."""
    err: str = agent.communicate(timeout=120)[1]
    assert agent.returncode in (1, -signal.SIGABRT), err
    return err


@pytest.mark.parametrize("which", [0, 1])
def test_a_rank_that_torchrun_loses_ends_the_run_within_half_a_minute(tmp_path: Path, which: int) -> None:
    agent = torchrun_that_has_saved(tmp_path)
    ranks = tree(agent.pid)[1:]
    os.kill(ranks[which], signal.SIGKILL)
    began = time.monotonic()
    says_failed(agent)
    assert time.monotonic() - began < 30
    assert not any(Path(f"/proc/{rank}").exists() for rank in ranks)
    assert checkpoint(newest(tmp_path))["images_seen"] % 4 == 0


@pytest.mark.parametrize("who", ["torchrun", "all"])
def test_torchrun_told_to_end_saves_and_says_so_in_words_since_its_code_is_1_for_everything(
    tmp_path: Path, who: str
) -> None:
    agent = torchrun_that_has_saved(tmp_path)
    for process in tree(agent.pid)[: 1 if who == "torchrun" else None]:
        os.kill(process, signal.SIGTERM)
    err = says_failed(agent)
    assert err.count("stopped by SIGTERM; resume=last goes on from here.") == 1, err
    assert checkpoint(newest(tmp_path))["images_seen"] % 4 == 0


def test_torchrun_says_no_such_thing_of_a_mistake(tmp_path: Path) -> None:
    (agent,) = by_torchrun(tmp_path, "trainer.max_images=3")
    err = says_failed(agent)
    assert "train.py: trainer.max_images=3 cannot be shared out" in err
    assert "stopped by" not in err


def by_torchrun_on_two_nodes(folder: Path) -> list[Any]:
    """Two agents on this machine that begin in different seconds."""
    meeting = ("--rdzv_backend", "c10d", "--rdzv_endpoint", f"127.0.0.1:{free_port()}", "--local_addr", "127.0.0.1")
    launcher = ("-m", "torch.distributed.run", "--nnodes", "2", "--nproc_per_node", "1", *meeting)
    agents = []
    for _ in range(2):
        agents.append(start(folder, *DDP, "trainer.devices=1", "trainer.nodes=2", launcher=launcher))
        time.sleep(1.1)
    return agents


def by_srun(folder: Path, *overrides: str, **options: Any) -> list[Any]:
    """Two processes with what srun gives them, and a disk of their own each."""
    job = {"JOB_ID": "12345", "JOB_NAME": "train", "STEP_ID": "0", "NNODES": "1", "NTASKS": "2", "NTASKS_PER_NODE": "2"}
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "SLURM_NODEID": "0"}
    own = [{"PROCID": str(rank), "LOCALID": str(rank)} for rank in (0, 1)]
    settings = [meeting | {f"SLURM_{name}": value for name, value in (job | rank).items()} for rank in own]
    disks = [{"TMPDIR": str(folder / f"disk {rank}")} for rank in (0, 1)]
    words = overrides or DDP
    return [start(folder, *words, env=own | disk, **options) for own, disk in zip(settings, disks, strict=True)]


def test_a_verdict_stops_all_ranks_with_one_sentence(tmp_path: Path) -> None:
    starved = ("callbacks.health.collapses=[data-starved]", "callbacks.health.limits.distinct=0.9")
    ended = train(tmp_path, *DDP, *WATCHED, *starved, "callbacks.health.on_collapse=stop")
    assert ended.code == 2
    assert ended.err.count("train.py: the watch saw data-starved at") == 1, ended.err
    told = json.loads((newest(tmp_path) / "health.json").read_text())
    assert [verdict["action"] for verdict in told["verdicts"] if verdict["name"] == "data-starved"] == ["stopped"]


def test_ranks_are_rolled_back_together_and_go_on_with_equal_weights_and_verdicts(tmp_path: Path) -> None:
    once = ("+callbacks.once._target_=training.trouble.Once", "+callbacks.once.at=12", "+callbacks.once.on=1")
    ended = train(tmp_path, *DDP, *WITNESS, *WATCHED, *once, "callbacks.health.on_collapse=roll_back")
    assert ended.code == 0, ended.err
    run = newest(tmp_path)
    first, second = witnesses(run)
    assert first["weights"] == second["weights"]
    assert first["verdicts"] == second["verdicts"] == json.loads((run / "health.json").read_text())["verdicts"]
    assert [v["action"] for v in first["verdicts"] if v["name"] == "non-finite"] == [
        "rolled back, learning rates x 0.5"
    ]
    state = checkpoint(run)
    assert (state["images_seen"], state["rollbacks"], state["slowdown"]) == (24, 1, 0.5)
    assert all(torch.isfinite(weight).all() for weight in state["networks"]["generator"].values())
    assert ended.err.count("rolled back to") == 1


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


LAUNCHERS = (by_torchrun, by_torchrun_on_two_nodes, by_srun)


@pytest.fixture(scope="module")
def by_lightning(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The last checkpoint of a run that Lightning launched."""
    folder = tmp_path_factory.mktemp("lightning")
    assert train(folder, *DDP).code == 0
    return checkpoint(newest(folder))


@pytest.mark.parametrize("launch", LAUNCHERS, ids=lambda launch: launch.__name__)
def test_whoever_starts_the_ranks_there_is_one_folder_and_the_same_weights(
    tmp_path: Path, by_lightning: dict[str, Any], launch: Any
) -> None:
    processes = launch(tmp_path)
    said = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    (run,) = (tmp_path / "smoke").iterdir()
    assert differences(checkpoint(run)["networks"], by_lightning["networks"]) == []
    assert len(checkpoint(run)["ranks"]) == 2


def test_every_node_may_keep_its_cache_on_a_disk_of_its_own(tmp_path: Path) -> None:
    sides = [f"data.{side}={fill(tmp_path / side, 4 + n, 10 * n)}" for n, side in enumerate(("source", "target"))]
    base = ("name=smoke", "method=perceptual_gan", "perceptual=random", *NETWORKS, "data=unpaired", *sides)
    sizes = ("data.source_resize=40", "data.target_resize=40", "data.crop=32", "data.view=32")
    run = (*TWO, *sizes, *WITNESS, "trainer.max_images=12", "trainer.workers=1", "data.cache=${oc.env:TMPDIR}/cache")
    processes = by_srun(tmp_path, *run, base=base)
    said = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    caches = [{path.name for path in (tmp_path / f"disk {rank}" / "cache").glob("[!.]*")} for rank in (0, 1)]
    assert caches[0] == caches[1]
    assert len(caches[0]) == 2
    first, second = witnesses(newest(tmp_path))
    assert first["weights"] == second["weights"]


def test_every_rank_of_every_trial_of_a_sweep_trains_its_own_hyperparameters(tmp_path: Path) -> None:
    grid = ("system.weights.generator.l1=3,30", "system.optimizers.generator.lr=0.001")
    ended = train(tmp_path, *DDP, *WITNESS, *grid, "trainer.max_images=8", "-m")
    assert ended.code == 0, ended.err
    trials = sorted(path.parent for path in tmp_path.rglob("witness_0.json"))
    assert [trial.name for trial in trials] == ["0", "1"]
    for trial, weight in zip(trials, (3.0, 30.0), strict=True):
        assert [witness["weighing"]["l1"] for witness in witnesses(trial)] == [weight, weight]
        assert [witness["lr"][1] for witness in witnesses(trial)] == [0.001, 0.001]
        assert (trial / "artifact").is_dir()


def await_end(processes: list[int], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while any(runs(process) for process in processes):
        assert time.monotonic() < until
        time.sleep(0.2)


def runs(process: int) -> bool:
    """Whether there is a process that is more than the entry that waits for its parent."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


GRID = (*DDP, "seed=0,1", "trainer.max_images=20000", "-m")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_a_grid_over_several_devices_ends_its_trial_well_and_begins_no_other(
    tmp_path: Path, number: signal.Signals
) -> None:
    grid = start(tmp_path, *GRID)
    while not list(tmp_path.rglob("last.ckpt")):
        assert grid.poll() is None
        time.sleep(0.2)
    ranks = tree(grid.pid)[1:]
    grid.send_signal(number)
    err = grid.communicate(timeout=120)[1]
    assert grid.returncode == 128 + number, err
    assert err.count(f"stopped by {number.name}; resume=last goes on from here.") == 1, err
    assert len(list(tmp_path.rglob("last.ckpt"))) == 1
    await_end(ranks)


def test_a_grid_that_is_killed_leaves_no_trial_behind(tmp_path: Path) -> None:
    grid = start(tmp_path, *GRID)
    while not list(tmp_path.rglob("last.ckpt")):
        assert grid.poll() is None
        time.sleep(0.2)
    ranks = tree(grid.pid)[1:]
    grid.kill()
    grid.communicate(timeout=60)
    await_end(ranks)


def test_a_grid_is_begun_once_and_not_by_every_task(tmp_path: Path) -> None:
    said = [(*task.communicate(timeout=120), task.returncode) for task in by_srun(tmp_path, *GRID)]
    assert [code for *_, code in said] == [2, 2]
    assert "".join(err for _, err, _ in said).count("a grid (-m) starts the ranks of each trial by itself") == 1, said


def test_an_installed_package_starts_its_ranks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganstyle.training.trial.conf_folder", lambda: tmp_path / "package" / "conf")
    words = [*train_program(), *SMALL, *DDP, f"runs={tmp_path}", "trainer.max_images=8"]
    environment = own_environment() | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
    ended = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert len(checkpoint(newest(tmp_path))["ranks"]) == 2
