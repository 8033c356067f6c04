"""SIGTERM and SIGINT finish the batch, save, and end the run; a folder belongs to one run."""

import fcntl
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from pytorch_lightning import Trainer
from torch import distributed as dist
from torch.distributed import ProcessGroup
from training.game import checkpoint, drift, fault, here, newest, train

from ganstyle.training.callbacks.signals import Signals
from ganstyle.training.loaders import Loaders
from ganstyle.training.owned import SIGNALS


@pytest.mark.parametrize(
    ("how", "number"),
    [
        ("term", signal.SIGTERM),
        pytest.param("int", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("usr1", signal.SIGUSR1, marks=pytest.mark.slow),
    ],
)
def test_a_signal_finishes_the_batch_saves_and_resumes_exactly(tmp_path: Path, how: str, number: int) -> None:
    with pytest.raises(SystemExit) as ended:
        here(tmp_path / "other", *fault(how, 10))
    assert ended.value.code == 128 + number
    run = newest(tmp_path / "other")
    assert checkpoint(run)["images_seen"] == 12
    assert not (run / "artifact").exists()
    assert here(tmp_path / "other", "resume=last").code == 0
    assert here(tmp_path / "whole").code == 0
    assert drift(newest(tmp_path / "whole"), run) == []


def test_a_signal_in_an_open_accumulation_window_waits_for_its_end(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        here(tmp_path, "system.accumulate=3", "trainer.max_epochs=4", "data.scenes=24", *fault("term", 6))
    assert checkpoint(newest(tmp_path))["images_seen"] == 12


def test_a_signal_in_the_last_batch_leaves_only_the_results_to_be_written(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        here(tmp_path, *fault("term", 22))
    assert checkpoint(newest(tmp_path))["images_seen"] == 24
    assert here(tmp_path, "resume=last").code == 0
    assert (newest(tmp_path) / "artifact").is_dir()


def test_the_signals_are_given_back_after_a_run(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    here(tmp_path, "trainer.max_images=2")
    with pytest.raises(SystemExit):
        here(tmp_path, *fault("term", 2))
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_signal_that_comes_while_ranks_agree_counts_at_the_next_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    signals, trainer = Signals(), Mock(spec=Trainer, should_stop=False)
    signals._group = Mock(spec=ProcessGroup)
    coming = [signal.SIGTERM]
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setattr(dist, "all_reduce", lambda *_, **__: coming and signals._remember(coming.pop(), None))
    stopped = []
    for _ in range(2):
        signals.on_train_batch_end(trainer, SimpleNamespace(between_turns=True))
        stopped.append(trainer.should_stop)
    assert stopped == [False, True]
    assert signals.received == signal.SIGTERM


def test_a_signal_before_the_first_batch_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Loaders.train_dataloader

    def interrupted(self: Loaders) -> object:
        os.kill(os.getpid(), signal.SIGTERM)
        return real(self)

    monkeypatch.setattr(Loaders, "train_dataloader", interrupted)
    with pytest.raises(SystemExit) as ended:
        here(tmp_path)
    assert ended.value.code == 128 + signal.SIGTERM
    assert checkpoint(newest(tmp_path))["images_seen"] == 2


@pytest.mark.parametrize("mode", [(), ("system.weights.generator.l1=1,2", "-m")], ids=["run", "grid"])
def test_a_run_that_a_signal_ended_is_asked_for_no_objective(tmp_path: Path, mode: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        here(tmp_path, "objective=-val/psnr", *fault("term", 2), *mode)
    assert ended.value.code == 128 + signal.SIGTERM
    assert len(list(tmp_path.rglob("config.yaml"))) == 1


@pytest.mark.slow
def test_an_interrupt_from_a_terminal_reaches_workers_too_and_harms_nothing(tmp_path: Path) -> None:
    ended = train(tmp_path, "trainer.workers=2", "trainer.max_images=2000", *fault("group", 10))
    assert ended.code == 128 + signal.SIGINT, ended.err
    assert checkpoint(newest(tmp_path))["images_seen"] == 12
    assert "Traceback" not in ended.err


@pytest.mark.slow
def test_an_interrupt_ends_a_sweep_and_not_only_its_trial(tmp_path: Path) -> None:
    ended = train(tmp_path, "system.weights.generator.l1=1,2,3", *fault("int", 4), "-m")
    assert ended.code == 128 + signal.SIGINT, ended.err
    assert len(list(tmp_path.rglob("config.yaml"))) == 1


def test_a_second_run_on_one_folder_is_refused(tmp_path: Path) -> None:
    assert here(tmp_path, "trainer.max_images=2").code == 0
    with (newest(tmp_path) / ".lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        ended = here(tmp_path, "trainer.max_images=2", "resume=last")
    assert ended.code == 2
    assert f"another run is writing in {newest(tmp_path)}; wait for it" in ended.err


def test_two_runs_in_one_second_have_a_folder_each(tmp_path: Path) -> None:
    for _ in range(2):
        assert here(tmp_path, "trainer.max_images=2", "logger=none").code == 0
    assert len(list((tmp_path / "smoke").iterdir())) == 2
