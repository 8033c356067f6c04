"""What times steps on a GPU runs through on a processor, where its figures mean nothing; bars are held to a table."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from training.reduced import SMALL

from benchmarks import gpu_speed
from benchmarks.gpu_speed import bars
from benchmarks.train.fed import Fed, pictures
from benchmarks.train.ours import Arm


@pytest.mark.slow
@pytest.mark.parametrize("recipe", SMALL)
@pytest.mark.parametrize("workers", [0, 1])
def test_an_arm_with_a_loader_trains_on_new_pictures_of_the_papers_size(
    tmp_path: Path, recipe: str, workers: int
) -> None:
    arm = Arm(recipe, 2, "32", SMALL[recipe])
    seen: list[Any] = []
    arm.step = seen.append  # type: ignore[method-assign,assignment]
    row = Fed(arm, recipe, 2, pictures(tmp_path / "pictures", 4), workers).timed(3)
    assert len(seen) == 2 * workers + 1 + 3
    assert {tuple(batch[side].shape) for batch in seen for side in ("source", "target")} == {(2, 3, 256, 256)}
    assert not seen[0]["source"].equal(seen[1]["source"])
    assert -1 <= float(seen[0]["source"].min()) < 0
    assert 0 < row["milliseconds_waited_for_a_batch"] <= row["greatest_wait"]
    assert row["milliseconds_waited_for_a_batch"] <= row["milliseconds"]
    assert row["images_per_second"] == pytest.approx(2000 / row["milliseconds"], rel=0.1)


@pytest.mark.slow
def test_it_can_be_rehearsed_on_a_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WARM_UP", "STEPS", "ROUNDS", "LIKE"):
        monkeypatch.setattr(gpu_speed, name, 1)
    monkeypatch.setattr(gpu_speed, "FILES", 4)
    monkeypatch.setattr(gpu_speed, "conv_rate", lambda device: 1e12)
    words = ["--recipes", "pix2pix", "--batch-sizes", "1", "--arms", "ganstyle bf16, graphs", gpu_speed.FED]
    words += ["--workers", "0", "--device", "cpu"]
    output = tmp_path / "result.json"
    monkeypatch.setattr(sys, "argv", ["gpu_speed", *words, "--output", str(output)])
    gpu_speed.main()
    result = json.loads(output.read_text())
    assert result["command"] == (
        "python -m benchmarks.gpu_speed --recipes pix2pix --batch-sizes 1 --arms 'ganstyle bf16, graphs' "
        "'ganstyle with its loader' --workers 0 --device cpu"
    )
    row = result["recipes"]["pix2pix"]["batch 1"]
    assert row["arms"].keys() == {"incumbent", "ganstyle bf16, graphs"}
    assert row["losses"]["one_step_met"]
    assert row["ganstyle with its loader"]["steps"] == 1


def test_the_bars_are_those_of_the_best_batch_that_fitted() -> None:
    def row(images: float, times: float, share: float) -> dict[str, Any]:
        ours = {"images_per_second": images, "times_as_fast": times, "share_of_convolutions": share}
        return {"arms": {"incumbent": {"images_per_second": images / times}, "ganstyle": ours}}

    rows = {"batch 1": row(40, 4, 0.1), "batch 8": row(120, 6, 0.4), "batch 32": {"out_of_memory": "..."}}
    found = gpu_speed.bars(rows)
    assert {name: (bar["value"], bar["met"]) for name, bar in found.items()} == {
        "times the baseline at batch 1": (4, True),
        "times the baseline of batch 1 per image, at batch 8": (12, True),
        "times the baseline of the same batch, at batch 8": (6, True),
        "share of the rate of bf16 convolutions": (0.4, True),
    }


def speeds(rate: float, times: float, share: float = 0.0) -> dict[str, float]:
    return {"images_per_second": rate, "times_as_fast": times, "share_of_convolutions": share}


ROWS: dict[str, Any] = {
    "batch 1": {
        "arms": {"incumbent": speeds(20, 1), "ganstyle bf16": speeds(50, 2.5), "ganstyle": speeds(64, 3.2, 0.2)}
    },
    "batch 8": {"arms": {"incumbent": speeds(30, 1), "ganstyle": speeds(90, 3.0, 0.4)}},
}


def test_the_last_arm_is_held_against_each_bar() -> None:
    found = bars(ROWS)
    assert {name: (bar["value"], bar["met"]) for name, bar in found.items()} == {
        "times the baseline at batch 1": (3.2, True),
        "times the baseline of batch 1 per image, at batch 8": (4.5, False),
        "times the baseline of the same batch, at batch 8": (3.0, False),
        "share of the rate of bf16 convolutions": (0.4, True),
    }


def test_without_the_last_arm_at_batch_1_there_is_nothing_to_compare() -> None:
    assert bars({"batch 8": ROWS["batch 8"]}) == {}
    assert bars({"batch 1": {"arms": {"incumbent": speeds(20, 1)}}}) == {}
