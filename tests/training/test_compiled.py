"""Compiled sub-networks train as the same ones do eagerly, and leave the same artifact."""

from pathlib import Path

import pytest
import torch
from training.game import checkpoint, newest, train

from ganstyle.artifact import load

BLIND = ("callbacks.validation=null", "callbacks.samples=null")


@pytest.mark.slow
def test_compiled_networks_learn_what_eager_ones_learn(tmp_path: Path) -> None:
    runs = []
    for switch in ("true", "false"):
        (tmp_path / switch).mkdir()
        ended = train(tmp_path / switch, f"trainer.compile={switch}", "trainer.max_images=4", *BLIND)
        assert ended.code == 0, ended.err
        runs.append(newest(tmp_path / switch))
    compiled, eager = (checkpoint(run) for run in runs)
    for network, own in eager["networks"].items():
        assert compiled["networks"][network].keys() == own.keys()  # no prefix of a compiled module
    assert compiled["latest"] == pytest.approx(eager["latest"], rel=1e-3)
    image = torch.rand(1, 3, 32, 32) * 2 - 1
    pictures = [load(run / "artifact").network(image) for run in runs]
    torch.testing.assert_close(pictures[0], pictures[1], rtol=1e-2, atol=1e-2)
