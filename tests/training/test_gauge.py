import pytest
import torch
from training.game import pix2pix, system

from ganstyle.data.toy import toy
from ganstyle.errors import ShapeError
from ganstyle.metrics.features import feature_network
from ganstyle.training import gauge as module
from ganstyle.training.gauge import Gauge, names_of
from ganstyle.training.subset import references_of, sources_of, targets_known
from ganstyle.training.system import System

PROBLEM = toy(96, scenes=8, val=3, held_out=2)


class Trainer:
    """As much of Lightning's trainer as looking needs."""

    class precision_plugin:  # noqa: N801
        """No autocast."""

        val_step_context = torch.no_grad


@pytest.fixture
def judged() -> System:
    made = system(pix2pix())
    made._trainer = Trainer()  # type: ignore[assignment]
    return made


@pytest.fixture
def gauge(judged: System) -> Gauge:
    return Gauge.of(judged, PROBLEM, feature_network(), (3, 4), draws=5, seed=0)


def test_the_pictures_are_those_of_the_problem_to_the_bit() -> None:
    sources, references = sources_of(PROBLEM, 3), references_of(PROBLEM, 5)
    for number in range(3):
        torch.testing.assert_close(sources.pictures[number].float() / 127.5 - 1, PROBLEM.val[number]["source"])
    torch.testing.assert_close(references.crops[4].float() / 127.5 - 1, PROBLEM.train[4]["target"])


def test_no_more_pictures_are_counted_than_there_are() -> None:
    assert len(sources_of(PROBLEM, 100)) == 3
    assert targets_known(PROBLEM, 100) == 8
    assert len(references_of(PROBLEM, 20).crops) == 20


def test_every_score_has_the_name_that_was_foretold(gauge: Gauge, judged: System) -> None:
    assert sorted(gauge.evaluate(judged)) == sorted(names_of(PROBLEM, feature_network(), 0))


def test_judging_leaves_weights_modes_and_random_numbers_as_they_were(gauge: Gauge, judged: System) -> None:
    before, random = {k: v.clone() for k, v in judged.state_dict().items()}, torch.get_rng_state()
    modes = [part.training for part in judged.modules()]
    first = gauge.evaluate(judged)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(before[name], value) for name, value in judged.state_dict().items())
    assert [part.training for part in judged.modules()] == modes
    torch.manual_seed(7)
    assert str(gauge.evaluate(judged)) == str(first)


def test_ranks_that_share_the_pictures_out_find_exactly_what_one_finds(
    gauge: Gauge, judged: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = gauge.evaluate(judged)
    with judged.looking():
        shares = [[gauge._described(judged, place) for place in range(first, 3, 2)] for first in (0, 1)]
    monkeypatch.setattr(module, "world_size", lambda: 2)
    monkeypatch.setattr(module, "gather", lambda fact: shares if isinstance(fact, list) else [fact])
    assert str(gauge.evaluate(judged)) == str(alone)


def test_pictures_too_small_to_be_judged_are_refused_when_scores_are_named() -> None:
    with pytest.raises(ShapeError, match="judge larger pictures"):
        names_of(toy(32, scenes=2, val=2, held_out=1), feature_network(), 0)
