from pathlib import Path

import pytest
import torch

from ganstyle.errors import CheckpointError
from ganstyle.training import checkpoint
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
    seen = [callback._is_better({"val/x": score}) for score in (float("nan"), 2.0, 3.0, 1.0, 2.0)]
    assert callback.best == best
    assert seen == ([False, True, False, True, False] if mode == "min" else [False, True, True, False, False])
