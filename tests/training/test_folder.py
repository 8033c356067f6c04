"""Where a run lies, and which one `resume=last` means."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from ganstyle.training import folder


@pytest.fixture(autouse=True)
def _launched_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GANSTYLE_RUN_ID", "RANK", "SLURM_JOB_ID", "SLURM_NTASKS", "TORCHELASTIC_RUN_ID"):
        monkeypatch.setenv(name, "")  # so that what a test sets is taken back
        monkeypatch.delenv(name)


def begun(runs: Path, name: str) -> Path:
    """A run that has written what it is, under a name that a launcher gave it."""
    path = runs / "smoke" / name
    path.mkdir(parents=True)
    folder.record(path, OmegaConf.create({"name": "smoke"}), [])
    return path


def in_job(monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    for name, value in {"JOB_ID": "99999", "STEP_ID": "0", "NTASKS": "2", "PROCID": "0", **more}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)


def test_last_is_the_run_that_began_last_whatever_its_launcher_named_it(tmp_path: Path) -> None:
    names = ("slurm-99999-0", "2026-01-01_10-00-00", "slurm-100000-0", "2026-01-02_10-00-00", "slurm-9-0", "1")
    for name in names:
        path = begun(tmp_path, name)
        assert folder.choose(str(tmp_path), "smoke", "last") == str(path)


def test_a_run_that_goes_on_did_not_begin_again(tmp_path: Path) -> None:
    first, second = begun(tmp_path, "first"), begun(tmp_path, "second")
    folder.record(first, OmegaConf.create({"name": "smoke"}), [])
    assert folder.newest_run(tmp_path / "smoke") == second


def test_a_run_that_did_not_write_when_it_began_counts_from_its_last_start(tmp_path: Path) -> None:
    old = begun(tmp_path, "z_old")
    (old / "began.txt").unlink()
    assert folder.newest_run(tmp_path / "smoke") == old
    new = begun(tmp_path, "new")
    assert folder.newest_run(tmp_path / "smoke") == new


def test_a_job_that_was_requeued_without_resume_has_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_job(monkeypatch)
    first = folder.choose(str(tmp_path), "smoke", None)
    monkeypatch.delenv("GANSTYLE_RUN_ID")
    in_job(monkeypatch, RESTART_COUNT="1")
    assert Path(first).name == "slurm-99999-0"
    assert Path(folder.choose(str(tmp_path), "smoke", None)).name == "slurm-99999-0-1"
