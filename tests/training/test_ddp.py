"""Several ranks train as one: through Lightning's launcher and torchrun, on CPUs."""

import json
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from training.game import NETWORKS, REPOSITORY, UNPAIRED, checkpoint, differences, fault, newest, start, train

pytestmark = pytest.mark.slow
DDP = ("trainer=ddp", "trainer.devices=2", "trainer.accelerator=cpu", "trainer.batch_size=2", "data.size=32")
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


def by_torchrun(folder: Path) -> list[Any]:
    return [start(folder, *DDP, launcher=("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"))]


def by_torchrun_on_two_nodes(folder: Path) -> list[Any]:
    """Two agents on this machine that begin in different seconds."""
    meeting = ("--rdzv_backend", "c10d", "--rdzv_endpoint", f"127.0.0.1:{free_port()}", "--local_addr", "127.0.0.1")
    launcher = ("-m", "torch.distributed.run", "--nnodes", "2", "--nproc_per_node", "1", *meeting)
    agents = []
    for _ in range(2):
        agents.append(start(folder, *DDP, "trainer.devices=1", "trainer.nodes=2", launcher=launcher))
        time.sleep(1.1)
    return agents


def by_srun(folder: Path) -> list[Any]:
    """Two processes with what srun gives them."""
    job = {"JOB_ID": "12345", "JOB_NAME": "train", "STEP_ID": "0", "NNODES": "1", "NTASKS": "2", "NTASKS_PER_NODE": "2"}
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "SLURM_NODEID": "0"}
    own = [{"PROCID": str(rank), "LOCALID": str(rank)} for rank in (0, 1)]
    settings = [meeting | {f"SLURM_{name}": value for name, value in (job | rank).items()} for rank in own]
    return [start(folder, *DDP, env=environment) for environment in settings]


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
