"""Curves and pictures arrive, and no service can stop a run."""

import os
import time
from pathlib import Path

import pytest
from training.game import Ended, newest, train

OFFLINE = {"WANDB_API_KEY": "", "HOME": "", "WANDB_BASE_URL": "http://127.0.0.1:9"}


def run_wandb(folder: Path, *overrides: str, **env: str) -> Ended:
    settings = {**OFFLINE, "HOME": str(folder), "NETRC": str(folder / "netrc"), **env}
    return train(folder, "logger=wandb", "trainer.max_images=8", *overrides, env=settings)


def test_a_missing_tensorboard_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ganstyle.errors import ConfigError
    from ganstyle.training import loggers

    def missing(*_: object, **__: object) -> None:
        raise ModuleNotFoundError

    monkeypatch.setattr(loggers, "TensorBoardLogger", missing)
    with pytest.raises(ConfigError, match=r"pip install 'ganstyle\[tensorboard\]'"):
        loggers.tensorboard(tmp_path)


@pytest.mark.slow
def test_tensorboard_holds_curves_and_sample_grids(tmp_path: Path) -> None:
    ended = train(tmp_path, "logger=tensorboard", "trainer.max_images=8")
    assert ended.code == 0, ended.err
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(newest(tmp_path) / "tensorboard"))
    events.Reload()
    assert "samples" in events.Tags()["images"]
    assert {"train/generator/l1", "val/psnr"} <= {*events.Tags()["scalars"]}
    assert events.Scalars("train/generator/l1")[-1].step == 8


@pytest.mark.slow
def test_wandb_works_offline_in_every_job_of_a_sweep_and_holds_pictures(tmp_path: Path) -> None:
    ended = run_wandb(tmp_path, "system.weights.generator.l1=1,2", "-m")
    assert ended.code == 0, ended.err
    records = list(tmp_path.rglob("*.wandb"))
    assert len(records) == 2
    assert {path.relative_to(next(tmp_path.rglob("sweep_*"))).parts[0] for path in records} == {"0", "1"}
    for folder in (record.parent for record in records):
        assert list(folder.rglob("media/images/samples*.png"))


@pytest.mark.slow
@pytest.mark.parametrize("key", ["", "f" * 40])
def test_wandb_online_without_a_key_or_a_network_goes_on_offline_and_says_so(tmp_path: Path, key: str) -> None:
    began = time.monotonic()
    ended = run_wandb(tmp_path, "logger.wandb.mode=online", "logger.wandb.timeout=5", WANDB_API_KEY=key)
    assert time.monotonic() - began < 90
    assert ended.code == 0, ended.err
    assert ended.err.count("logger=wandb is offline") == 1, ended.err
    assert [line.split()[0] for line in ended.err.splitlines()] == ["logger=wandb", "training"], ended.err
    assert list(newest(tmp_path).rglob("*.wandb"))
    assert os.environ.get("WANDB_BASE_URL") is None
