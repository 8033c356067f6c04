"""A run ends exactly where it says, whatever the batch; each rank takes its share."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from training.game import checkpoint, differences, fault, here, newest

from ganstyle.errors import ConfigError
from ganstyle.training.checkpoint import load, save
from ganstyle.training.loaders import Numbers
from ganstyle.training.options import Options


def options(**changes: Any) -> Options:
    values: dict[str, Any] = {
        "max_images": None,
        "max_epochs": 2,
        "batch_size": 4,
        "workers": 0,
        "accelerator": "cpu",
        "devices": 1,
        "nodes": 1,
        "precision": 32,
        "memory_format": "auto",
        "compile": "auto",
        "graphs": False,
        "fused": "auto",
        "log_every": 1,
    }
    return Options(**values | changes)


@given(start=st.integers(0, 20), length=st.integers(0, 40), batch=st.integers(1, 7), ranks=st.integers(1, 4))
def test_all_ranks_together_take_every_number_once_in_order(start: int, length: int, batch: int, ranks: int) -> None:
    start, stop = start * ranks, (start + length) * ranks
    shares = [list(Numbers(start, stop, batch, rank=rank, ranks=ranks)) for rank in range(ranks)]
    assert all(len(share) == len(Numbers(start, stop, batch)) or ranks > 1 for share in shares)
    joined = [number for step in zip(*shares, strict=True) for part in step for number in part]
    assert joined == list(range(start, stop))
    assert all(len({len(part) for part in step}) == 1 for step in zip(*shares, strict=True))


@given(total=st.integers(1, 60), batch=st.integers(1, 7), after=st.integers(0, 10))
def test_a_resumed_run_goes_on_with_the_batches_that_were_left(total: int, batch: int, after: int) -> None:
    whole = list(Numbers(0, total, batch))
    assert list(Numbers(min(after * batch, total), total, batch)) == whole[after:]


def test_more_devices_than_gpus_are_refused_with_what_slurm_may_have_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(
        ConfigError, match=r"^trainer.devices=4, .* here are 1; .* --gpus-per-node=4, no --gpus-per-task"
    ):
        options(accelerator="gpu", devices=4)
    options(accelerator="gpu", devices=1)
    options(accelerator="cpu", devices=4)


def test_images_win_over_epochs_and_epochs_may_be_broken() -> None:
    assert options(max_images=7).total_images(10) == 7
    assert options().total_images(10) == 20
    assert options(max_epochs=0.5).total_images(10) == 5


def test_what_cannot_be_shared_out_evenly_is_refused_with_what_can() -> None:
    with pytest.raises(ConfigError, match=r"max_images=7 cannot be shared out evenly over 2 devices; take 6"):
        options(max_images=7, devices=2).total_images(10)
    assert options(devices=3).shared(21) == 21
    with pytest.raises(ConfigError, match=r"begun for 20 images, which cannot be shared out evenly over 3 devices"):
        options(devices=3).shared(20)


def test_a_run_that_goes_on_ends_where_it_was_to_end_when_it_began(tmp_path: Path) -> None:
    """As one of 9 images in epochs that two devices began, which share out 8."""
    words = ("trainer.max_images=null", "trainer.max_epochs=1.5")
    with pytest.raises(SystemExit):
        here(tmp_path, *words, *fault("term", 6))
    file = newest(tmp_path) / "checkpoints" / "last.ckpt"
    save({**load(file), "total_images": 8}, file)
    ended = here(tmp_path, *words, "resume=last")
    assert ended.code == 0, ended.err
    assert checkpoint(newest(tmp_path))["images_seen"] == 8


def test_16_mixed_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match=r"16-mixed is not offered: .*; use bf16-mixed"):
        options(precision="16-mixed")


@pytest.mark.parametrize(
    ("knobs", "images"),
    [
        (("trainer.max_images=7",), 7),
        (("trainer.max_images=3", "trainer.batch_size=50"), 3),
        (("trainer.max_images=null", "trainer.max_epochs=1.5"), 9),
        (("trainer.max_images=5", "data.size=36", "system.accumulate=2"), 5),
    ],
)
def test_a_run_ends_where_it_says(tmp_path: Path, knobs: tuple[str, ...], images: int) -> None:
    ended = here(tmp_path, *knobs)
    assert ended.code == 0, ended.err
    state = checkpoint(newest(tmp_path))
    assert state["images_seen"] == images
    assert all(group["lr"] == 0.0 for o in state["optimizers"].values() for group in o["param_groups"])


def test_bf16_trains_on_weights_and_losses_in_fp32(tmp_path: Path) -> None:
    ended = here(tmp_path, "trainer.precision=bf16-mixed", "trainer.max_images=8")
    assert ended.code == 0, ended.err
    state = checkpoint(newest(tmp_path))
    tensors = [t for network in state["networks"].values() for t in network.values() if t.is_floating_point()]
    assert {t.dtype for t in tensors} == {torch.float32}
    assert here(tmp_path, "trainer.max_images=8").code == 0
    exact = checkpoint(newest(tmp_path))
    assert differences(state["networks"], exact["networks"])
    for name, network in state["networks"].items():
        for key, tensor in network.items():
            torch.testing.assert_close(tensor, exact["networks"][name][key], atol=0.02, rtol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("switch", ["trainer.memory_format=channels_last", "trainer.fused=false", "trainer.fused=true"])
def test_a_switch_of_speed_changes_no_result_but_in_the_last_bits(tmp_path: Path, switch: str) -> None:
    for overrides in ((), (switch,)):
        assert here(tmp_path / str(len(overrides)), "trainer.max_images=4", *overrides).code == 0
    plain, switched = (checkpoint(newest(tmp_path / name)) for name in "01")
    for name, network in plain["networks"].items():
        for key, tensor in network.items():
            torch.testing.assert_close(tensor, switched["networks"][name][key], atol=1e-3, rtol=1e-3)
