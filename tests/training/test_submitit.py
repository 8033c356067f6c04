"""A grid whose trials are jobs of a cluster, here processes that submitit starts on this machine."""

from pathlib import Path

import pytest
from training.game import REPOSITORY, TESTS, checkpoint, train

pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs hydra-submitit-launcher")
LOCAL = ("hydra/launcher=submitit_local", "hydra.launcher.timeout_min=10")
PATHS = {"PYTHONPATH": f"{REPOSITORY}:{TESTS}"}
"""Jobs begin with a module of submitit's, which knows no checkout."""
TWO = ("trainer=ddp", "trainer.devices=2", "trainer.accelerator=cpu", "trainer.batch_size=2")


def trials(folder: Path) -> dict[str, Path]:
    return {path.parent.name: path.parent for path in folder.rglob("config.yaml") if ".submitit" not in path.parts}


def test_a_grid_for_slurm_composes(tmp_path: Path) -> None:
    slurm = ("hydra/launcher=submitit_slurm", "hydra.launcher.partition=gpu", "hydra.launcher.gpus_per_node=1")
    ended = train(tmp_path, *slurm, "--cfg", "hydra", "--package", "hydra.launcher")
    assert ended.code == 0, ended.err
    assert "partition: gpu" in ended.out


@pytest.mark.slow
def test_a_trial_that_fails_as_a_job_is_told_and_the_others_end_well(tmp_path: Path) -> None:
    ended = train(tmp_path, *LOCAL, "trainer.max_images=4", "system.method.adversarial=lsgam,lsgan", "-m", env=PATHS)
    assert ended.code == 2, ended.err
    assert "train.py: unknown adversarial game 'lsgam'; did you mean 'lsgan'?" in ended.err
    assert [path.name for path in trials(tmp_path).values() if (path / "metrics.json").is_file()] == ["1"]
    logs = [path.read_text() for path in tmp_path.rglob("*_log.err")]
    assert sum("train.py: unknown adversarial game 'lsgam'" in log for log in logs) == 1


@pytest.mark.slow
def test_a_trial_on_two_devices_is_a_run_of_two_ranks_in_its_job(tmp_path: Path) -> None:
    ended = train(tmp_path, *LOCAL, *TWO, "trainer.max_images=4", "seed=3", "-m", env=PATHS)
    assert ended.code == 0, ended.err
    assert len(checkpoint(trials(tmp_path)["0"])["ranks"]) == 2
