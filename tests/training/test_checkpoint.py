import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from training.game import system

from benchmarks.single_faults import on_full_disk
from ganstyle.errors import CheckpointError
from ganstyle.training import checkpoint, latest
from ganstyle.training.callbacks.checkpoints import Checkpoints


def test_a_crash_while_writing_leaves_the_older_checkpoint_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    checkpoint.save({"format": 1, "turns": 1}, path)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    for place in ("os.fsync", "pathlib.Path.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(place, crash)
            with pytest.raises(KeyboardInterrupt):
                checkpoint.save({"format": 1, "turns": 2}, path)
        assert checkpoint.load(path)["turns"] == 1
        assert list(tmp_path.iterdir()) == [path]


def test_a_temporary_file_that_a_power_cut_left_behind_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    checkpoint.save({"format": 1, "turns": 1}, path)
    (tmp_path / ".last.ckpt.abc").write_bytes(b"half")
    assert checkpoint.load(path)["turns"] == 1


def test_nothing_in_a_checkpoint_is_run(tmp_path: Path) -> None:
    torch.save({"format": 1, "evil": Checkpoints(every=1)}, tmp_path / "last.ckpt")
    with pytest.raises(CheckpointError, match=r"last\.ckpt is not a checkpoint that can be read"):
        checkpoint.load(tmp_path / "last.ckpt")


def test_a_missing_checkpoint_is_told() -> None:
    with pytest.raises(CheckpointError, match=r"there is no checkpoint nowhere\.ckpt"):
        checkpoint.load(Path("nowhere.ckpt"))


@pytest.mark.parametrize(("mode", "best"), [("min", 1.0), ("max", 3.0)])
def test_the_best_score_is_the_least_or_the_greatest_and_never_no_number(mode: str, best: float) -> None:
    callback = Checkpoints(every=1, monitor="val/x", mode="min" if mode == "min" else "max")
    subject, seen = system(), []
    for score in (float("nan"), 2.0, 3.0, 1.0, 2.0):
        subject.take_scores({"val/x": score})
        seen.append(callback._is_better(subject))
    assert callback.best == best
    assert seen == ([False, True, False, True, False] if mode == "min" else [False, True, True, False, False])


def test_a_best_score_of_another_kind_is_forgotten() -> None:
    one = Checkpoints(every=1, monitor="val/l1")
    one.best = 0.3
    saved = {"best": 0.3, "best_of": one._best_of}
    for monitor, mode, best in (("val/l1", "min", 0.3), ("val/psnr", "min", None), ("val/l1", "max", None)):
        other = Checkpoints(every=1, monitor=monitor, mode=mode)  # type: ignore[arg-type]
        other.go_on_from(saved)
        assert other.best == best
    one.go_on_from({"best": 0.2})  # of an older version
    assert one.best == 0.2


def state(turns: int) -> dict[str, object]:
    return {"format": 1, "turns": turns, "images_seen": 2 * turns, "weights": torch.zeros(2500)}


def turns(folder: Path, name: str) -> object:
    return checkpoint.load(folder / name)["turns"]


def test_the_checkpoint_before_the_last_stays(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        latest.advance(state(number), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"last.ckpt", "previous.ckpt"}
    assert (turns(tmp_path, "previous.ckpt"), turns(tmp_path, "last.ckpt")) == (2, 3)


def test_it_stays_where_files_have_one_name_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("this file system has no links")

    monkeypatch.setattr("os.link", refuse)
    for number in (1, 2, 3):
        latest.advance(state(number), tmp_path)
    assert (turns(tmp_path, "previous.ckpt"), turns(tmp_path, "last.ckpt")) == (2, 3)


@pytest.mark.parametrize("place", ["os.fsync", "os.link", "pathlib.Path.replace", "pathlib.Path.unlink"])
@pytest.mark.parametrize("call", range(4))
def test_wherever_a_save_is_cut_off_a_newest_checkpoint_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, call: int
) -> None:
    for number in (1, 2):
        latest.advance(state(number), tmp_path)
    module, _, name = place.rpartition(".")
    real = getattr(os if module == "os" else Path, name)
    left = [call]

    def crash(*words: object, **options: object) -> object:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(*words, **options)

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(place, crash)
        latest.advance(state(3), tmp_path)
    latest.tidy(tmp_path)
    found = latest.newest(tmp_path)
    assert found is not None
    assert found["turns"] in (2, 3)
    latest.advance(state(4), tmp_path)
    assert turns(tmp_path, "last.ckpt") == 4
    assert turns(tmp_path, "previous.ckpt") == found["turns"]


def test_a_damaged_newest_checkpoint_is_set_aside_for_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2):
        latest.advance(state(number), tmp_path)
    (tmp_path / "last.ckpt").write_bytes((tmp_path / "last.ckpt").read_bytes()[:500])
    found = latest.newest(tmp_path)
    assert found is not None
    assert found["turns"] == 1
    assert "last.ckpt is not a checkpoint that can be read" in caplog.text
    assert "The run goes on from the one before it, at 2 images." in caplog.text
    latest.advance(state(2), tmp_path)
    assert (turns(tmp_path, "previous.ckpt"), turns(tmp_path, "last.ckpt")) == (1, 2)


@pytest.mark.parametrize("trouble", [OSError(errno.EIO, "Input/output error"), MemoryError()], ids=["disk", "memory"])
def test_a_checkpoint_that_cannot_be_read_now_is_not_taken_for_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    for number in (1, 2):
        latest.advance(state(number), tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr("torch.load", refuse)
        with pytest.raises(CheckpointError, match=r"last\.ckpt cannot be read now"):
            latest.newest(tmp_path)
    assert (turns(tmp_path, "previous.ckpt"), turns(tmp_path, "last.ckpt")) == (1, 2)


def test_two_damaged_checkpoints_are_told(tmp_path: Path) -> None:
    for name in ("last.ckpt", "previous.ckpt"):
        (tmp_path / name).write_bytes(b"half")
    with pytest.raises(CheckpointError, match=r"previous\.ckpt is not a checkpoint that can be read"):
        latest.newest(tmp_path)


def test_a_full_disk_leaves_both_checkpoints_whole_and_says_what_to_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        latest.advance(state(number), tmp_path)
    monkeypatch.setattr(Path, "open", on_full_disk(Path.open))
    with pytest.raises(CheckpointError, match=r"is full: a checkpoint takes 0\.0 MB .* free .* resume=last\."):
        latest.advance(state(3), tmp_path)
    assert (turns(tmp_path, "previous.ckpt"), turns(tmp_path, "last.ckpt")) == (1, 2)
    assert {path.name for path in tmp_path.iterdir()} == {"last.ckpt", "previous.ckpt"}


def test_a_checkpoint_may_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        latest.advance(state(1), tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "last.ckpt").stat().st_mode) == 0o640


def test_what_a_killed_save_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    latest.advance(state(1), tmp_path)
    for name in (".last.ckpt.abc", ".next.ckpt.x1", "next.ckpt", ".previous.ckpt.link"):
        (tmp_path / name).write_bytes(b"half")
    latest.tidy(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]
