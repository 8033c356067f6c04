"""The ways to average gradients that are compared do the same."""

import sys
from pathlib import Path

import pytest
import torch
from torch import multiprocessing
from training.reduced import SMALL, step_as_rank

from benchmarks import scaling

Weights = dict[str, dict[str, list[torch.Tensor]]]


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[Weights]:
    folder: Path = tmp_path_factory.mktemp("ranks")
    multiprocessing.spawn(step_as_rank, (folder,), nprocs=2)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", SMALL)
@pytest.mark.parametrize("way", ["meanwhile", "a wrapper per network", "find_unused_parameters"])
def test_every_way_learns_what_the_flat_one_does(ranks: list[Weights], recipe: str, way: str) -> None:
    first, second = (rank[recipe] for rank in ranks)
    assert all(map(torch.equal, first[way], second[way]))
    for mine, flat in zip(first[way], first["flat all-reduce"], strict=True):
        torch.testing.assert_close(mine, flat, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", SMALL)
def test_ranks_that_say_nothing_drift_apart(ranks: list[Weights], recipe: str) -> None:
    first, second = (rank[recipe]["apart"] for rank in ranks)
    assert not all(map(torch.equal, first, second))


def test_two_gpus_are_asked_for_where_there_are_fewer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(sys, "argv", ["scaling", "--device", "cuda"])
    with pytest.raises(SystemExit):
        scaling.main()
    assert "--device cuda wants two GPUs, but PyTorch finds 1 here" in capsys.readouterr().err
