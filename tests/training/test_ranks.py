"""Two ranks compute what one process with the doubled batch computes, where the mathematics says so."""

from typing import Any

import pytest
import torch
from methods.conftest import CLASSES
from torch import multiprocessing
from training.ranks import STEPS, game, play, play_as_rank, share


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("ranks")
    multiprocessing.spawn(play_as_rank, (folder,), nprocs=2)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("method", CLASSES)
def test_two_ranks_equal_one_process_with_the_doubled_batch(ranks: list[dict[str, Any]], method: str) -> None:
    alone = play(method)
    first, second = (rank[method] for rank in ranks)
    assert first.keys() == second.keys() == alone.keys()
    for name, tensor in alone.items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], tensor, rtol=1e-7, atol=1e-9, msg=lambda text, n=name: f"{n}: {text}")


@pytest.mark.slow
@pytest.mark.parametrize("method", CLASSES)
def test_the_images_of_both_ranks_matter(ranks: list[dict[str, Any]], method: str) -> None:
    half = game(method)
    for number in range(STEPS):
        half.step(share(number, 0, 2))
    moved = half.system.method.state_dict()
    assert any(not torch.allclose(ranks[0][method][name], tensor) for name, tensor in moved.items())


@pytest.mark.slow
def test_a_turn_is_one_message_per_player_and_batches_within_it_are_none(ranks: list[dict[str, Any]]) -> None:
    players = [sum(p.numel() for p in player.network.parameters()) for player in game("pix2pix").system.players]
    assert ranks[0]["messages"] == ranks[1]["messages"] == [[], [], players, [], [], players, []]


@pytest.mark.slow
def test_gradients_that_travel_while_others_are_computed_teach_the_same(ranks: list[dict[str, Any]]) -> None:
    for rank in ranks:
        assert min(rank["in pieces"]["early"]) > 1
        assert all(torch.equal(rank["cyclegan"][name], found) for name, found in rank["in pieces"]["learned"].items())


@pytest.mark.slow
def test_graphs_of_two_ranks_train_as_their_single_operations_do(ranks: list[dict[str, Any]]) -> None:
    first, second = ranks
    for name, tensor in first["eager"].items():
        assert torch.equal(first["graphs"][name], second["graphs"][name]), name
        torch.testing.assert_close(first["graphs"][name], tensor, rtol=1e-7, atol=1e-9)
