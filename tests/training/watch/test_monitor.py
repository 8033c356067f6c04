"""The monitor sees what a step has, changes nothing of it, and goes on where it was interrupted."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from pytorch_lightning.plugins.precision import Precision
from training.bench import Bench, batch
from training.game import differences, system
from training.watch.test_verdicts import LIMITS, WELL

from ganstyle.data.problem import Example
from ganstyle.training.system import System
from ganstyle.training.watch.held_out import HeldOut
from ganstyle.training.watch.monitor import Monitor


class Few:
    """Five held-out pictures."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, number: int) -> Example:
        images = torch.rand(2, 3, 20, 24, generator=torch.Generator().manual_seed(number)) * 2 - 1
        return {"source": images[0], "target": images[1], "seed": torch.tensor(number)}


def watched(subject: System, **sizes: int) -> tuple[Bench, Monitor]:
    """A system and its monitor, with held-out pictures larger than the training's."""
    bench: Any = Bench(subject)
    bench.precision_plugin = Precision()
    subject.witness = monitor = Monitor(
        subject, HeldOut(Few(), 4, 2), LIMITS, **{"sample_every": 2, "crowd": 6, "known": 8, **sizes}
    )
    return bench, monitor


def steps(bench: Bench, start: int, stop: int) -> Iterator[int]:
    for number in range(start, stop):
        bench.step(batch(2 * number))
        yield number


def test_watching_changes_no_weight_and_takes_no_random_number() -> None:
    (seen, monitor), alone = watched(system()), Bench(system())
    for number in range(6):
        torch.manual_seed(number)
        seen.step(batch(2 * number))
        monitor.watch()
        watched_numbers = torch.get_rng_state()
        torch.manual_seed(number)
        alone.step(batch(2 * number))
        assert torch.equal(watched_numbers, torch.get_rng_state())
    for ours, theirs in zip(seen.system.method.parameters(), alone.system.method.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_look_sums_up_what_the_steps_showed() -> None:
    bench, monitor = watched(system(), sample_every=1)
    norms: dict[str, list[float]] = {"generator": [], "discriminator": []}
    hear = monitor.gradients

    def gradients(player: str, parameters: Any) -> None:
        norms[player].append(sum(float(p.grad.double().square().sum()) for p in parameters) ** 0.5)
        hear(player, parameters)

    monitor.gradients = gradients  # type: ignore[method-assign]
    list(steps(bench, 0, 3))
    means = bench.system.journal.means()
    evidence = monitor.look()
    assert evidence is not None
    for player, own in norms.items():
        assert evidence.gradients[player] == pytest.approx(sum(own) / 3, rel=1e-5)
        assert evidence.steepest[player] == pytest.approx(max(own), rel=1e-5)
    assert evidence.losses == pytest.approx({name.removeprefix("train/"): value for name, value in means.items()})
    assert monitor.judges == ["discriminator"]
    assert evidence.images_seen == 6
    assert evidence.distinct == 1.0
    assert set(evidence.logits) == {"real", "fake", "held_out"}
    assert monitor.look() is None


def test_held_out_pictures_are_shown_at_every_second_look_and_take_turns() -> None:
    bench, monitor = watched(system(), sample_every=1)
    shown: list[int] = []
    look = monitor.held_out.look  # type: ignore[union-attr]

    def noted(*given: Any) -> Any:
        shown.append(given[3])
        return look(*given)

    monitor.held_out.look = noted  # type: ignore[method-assign, union-attr]
    for _ in range(4):
        bench.step(batch())
        monitor.look()
    assert shown == [0, 1]


def test_weights_are_read_at_the_look() -> None:
    bench, monitor = watched(system())
    bench.step(batch())
    evidence = monitor.look()
    assert evidence is not None
    for player in bench.system.players:
        norm = sum(float(p.detach().double().square().sum()) for p in player.network.parameters()) ** 0.5
        assert evidence.weights[player.name] == pytest.approx(norm, rel=1e-5)


def test_the_change_is_measured_in_the_sources_deviation() -> None:
    subject = system()
    subject.method.generator.register_forward_hook(lambda _m, given, image: given[0] + 0.3 + 0 * image)  # type: ignore[union-attr]
    bench, monitor = watched(subject)
    bench.step(batch())
    evidence = monitor.look()
    assert evidence is not None
    assert evidence.change is not None
    assert evidence.change == pytest.approx(0.3 / batch()["source"].std((2, 3), correction=0).mean().item(), rel=1e-5)


def test_a_reading_waits_for_a_player_that_moves_seldom_and_for_an_open_window() -> None:
    bench, monitor = watched(system(accumulate=3, epoch_images=100), sample_every=2)
    closed = [len(monitor._closed) for _ in steps(bench, 0, 7)]
    assert closed == [0, 0, 1, 1, 1, 2, 2]  # of batches 1 to 3 and 5 to 6; the window of 7 is open


def test_pictures_and_judgements_are_not_read_between_samples() -> None:
    bench, monitor = watched(system(), sample_every=3)
    heard = [len(monitor._closed) for _ in steps(bench, 0, 7)]
    assert heard == [1, 1, 1, 2, 2, 2, 3]
    sketches = monitor.albums["generated"].sketches()
    assert sketches is not None
    assert len(sketches) == 6


def test_a_verdict_is_told_when_it_begins_and_again_when_it_comes_back() -> None:
    _, monitor = watched(system())
    ill = replace(WELL, spread=0.0)
    looks = iter([WELL, ill, ill, ill, WELL, ill, ill])
    monitor.look = lambda: next(looks)  # type: ignore[method-assign]
    told = [[verdict.name for verdict in monitor.watch()] for _ in range(7)]
    assert told == [[], [], ["mode-collapse"], [], [], [], ["mode-collapse"]]


@pytest.mark.parametrize("at", [3, 4])
def test_a_monitor_that_is_put_back_goes_on_as_if_nothing_had_been(at: int) -> None:
    whole, other = watched(system(accumulate=2)), watched(system(accumulate=2))
    list(steps(whole[0], 0, at))
    list(steps(other[0], 0, at))
    fresh = Monitor(other[0].system, other[1].held_out, LIMITS, sample_every=2, crowd=6, known=8)
    fresh.load_state_dict(other[1].state_dict())
    fresh.ear, other[0].system.witness = other[1].ear, fresh
    for bench, monitor in (whole, (other[0], fresh)):
        list(steps(bench, at, at + 4))
        monitor.watch()
    assert differences(whole[1].state_dict(), fresh.state_dict()) == []
    fresh.load_state_dict({})
    assert fresh.looks == whole[1].looks
