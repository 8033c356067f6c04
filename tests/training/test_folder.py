"""Where a run lies, and which one `resume=last` means."""

import errno
import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf

from ganstyle.data import locks
from ganstyle.errors import ConfigError
from ganstyle.training import claims, folder


@pytest.fixture(autouse=True)
def _launched_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GANSTYLE_RUN_ID", "RANK", "SLURM_JOB_ID", "SLURM_NTASKS", "TORCHELASTIC_RUN_ID"):
        monkeypatch.setenv(name, "")  # so that what a test sets is taken back
        monkeypatch.delenv(name)


@pytest.fixture
def _without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Lustre that is mounted without them."""

    def unknown(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(locks, "fcntl", SimpleNamespace(flock=unknown))


@pytest.mark.usefixtures("_without_locks")
def test_a_file_system_without_locks_is_told_and_lived_with(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = tmp_path / "run"
    with folder.taken(run):
        assert not folder.is_taken(run)
    assert caplog.messages == [
        f"{run} is on a file system without locks (flock): nothing keeps a second run out of it."
    ]


@pytest.mark.usefixtures("_without_locks")
def test_a_sweep_is_refused_on_a_file_system_without_locks(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"without locks \(flock\), .* give --folder FOLDER"), claims.alone(tmp_path):
        pass


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


@pytest.mark.parametrize("name", ["", "..", "a/b", "/a", 3])
def test_a_run_stays_under_its_own_name(tmp_path: Path, name: object) -> None:
    with pytest.raises(ConfigError, match="one plain word"):
        folder.choose(str(tmp_path), name, None)


def test_runs_of_one_second_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = set()
    for _ in range(4):
        chosen.add(folder.choose(str(tmp_path), "smoke", None))
        monkeypatch.delenv("GANSTYLE_RUN_ID")
    assert len(chosen) == 4


def test_a_name_that_no_terminal_can_show_is_logged(tmp_path: Path) -> None:
    with folder.logged(tmp_path):
        logging.getLogger("ganstyle").warning("%s is damaged", "Gem\udce4lde.jpg")
    assert "Gem\\udce4lde.jpg is damaged" in (tmp_path / "run.log").read_text()


def test_a_job_that_was_requeued_without_resume_has_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_job(monkeypatch)
    first = folder.choose(str(tmp_path), "smoke", None)
    monkeypatch.delenv("GANSTYLE_RUN_ID")
    in_job(monkeypatch, RESTART_COUNT="1")
    assert Path(first).name == "slurm-99999-0"
    assert Path(folder.choose(str(tmp_path), "smoke", None)).name == "slurm-99999-0-1"


def test_a_run_that_resumes_must_see_the_pictures_that_its_checkpoint_tells_of() -> None:
    card = {"content": {"source": "a", "target": "b"}, "held_out": {"source": "c", "target": "d"}}
    folder.refuse_other_pictures(card, card)
    changed = {**card, "held_out": {"source": "c", "target": "e"}}
    with pytest.raises(ConfigError, match=r"other values of pictures\.held_out\.target \(was 'd', now 'e'\)"):
        folder.refuse_other_pictures(card, changed)
    with pytest.raises(ConfigError, match=r"pictures\.held_out\.target"):
        folder.refuse_other_pictures(card, {"content": card["content"]})


def test_a_checkpoint_that_does_not_tell_what_is_held_out_can_be_resumed() -> None:
    folder.refuse_other_pictures({"content": "a"}, {"content": "a", "held_out": "b"})
