from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from training.bench import Bench, batch
from training.game import WEIGHTS, pix2pix, system

from ganstyle.errors import ConfigError, TrainingError
from ganstyle.methods.cyclegan import CycleGAN
from ganstyle.nn.light import Light
from ganstyle.nn.patchgan import PatchGAN
from ganstyle.training.journal import Journal
from ganstyle.training.system import System


def parameters(subject: System) -> Iterator[torch.Tensor]:
    return (p.detach().clone() for p in subject.method.parameters())


def test_every_player_moves_in_every_step() -> None:
    bench = Bench(system())
    before = {p.name: [w.detach().clone() for w in p.network.parameters()] for p in bench.system.players}
    bench.step(batch())
    for player in bench.system.players:
        moved = [
            not torch.equal(w, old) for w, old in zip(player.network.parameters(), before[player.name], strict=True)
        ]
        assert moved[0], player.name


def test_no_gradient_is_left_behind_after_a_turn() -> None:
    bench = Bench(system())
    bench.step(batch())
    assert all(p.grad is None for p in bench.system.method.parameters())


def test_one_step_equals_the_same_game_written_by_hand() -> None:
    bench, by_hand = Bench(system()), pix2pix()
    adams = [
        torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.5, 0.999))
        for network in (by_hand.discriminator, by_hand.generator)
    ]
    for number in range(3):
        data = batch(2 * number)
        bench.step(data)
        out = by_hand(data)
        for player, adam in zip(by_hand.players, adams, strict=True):
            terms = player.losses(out)
            by_hand.zero_grad()
            sum(WEIGHTS[player.name][name] * loss for name, loss in terms.items()).backward()
            adam.step()
    for ours, theirs in zip(bench.system.method.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_two_accumulated_batches_equal_their_union() -> None:
    weights = {**WEIGHTS, "generator": {"adversarial": 0.0, "l1": 10.0}}  # the players move apart: one judges the other
    small, large = (Bench(system(accumulate=n, weights=weights).double()) for n in (2, 1))
    whole = {key: value.double() if value.is_floating_point() else value for key, value in batch(0, 4).items()}
    for half in (slice(0, 2), slice(2, 4)):
        small.step({key: value[half] for key, value in whole.items()})  # type: ignore[misc, arg-type]
    large.step(whole)  # type: ignore[arg-type]
    for ours, theirs in zip(small.system.method.parameters(), large.system.method.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)


def test_an_open_accumulation_window_is_flushed_at_the_epochs_end() -> None:
    bench = Bench(system(accumulate=3, epoch_images=8))
    turns = []
    for number in range(8):
        bench.step(batch(2 * number))
        turns.append(bench.system.turns)
    assert turns == [0, 0, 1, 2, 2, 2, 3, 4]  # batches of two, epochs of four batches: windows of 3, 1, 3, 1


def test_clipping_bounds_the_gradient_that_a_player_steps_with() -> None:
    subject = system(clip=1e-3)
    subject.factories = {name: partial(torch.optim.SGD, lr=1.0) for name in subject.factories}
    bench = Bench(subject)
    before = list(parameters(bench.system))
    bench.step(batch())
    move = sum(float((new - old).square().sum()) for new, old in zip(parameters(bench.system), before, strict=True))
    assert 0 < move <= 2 * (1.001e-3) ** 2  # two players


def test_clipping_to_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"system\.clip must be a number of at least 1e-08, but got 0"):
        system(clip=0)


def test_the_average_follows_the_live_generator_and_leaves_the_discriminator_alone() -> None:
    bench = Bench(system(ema=10))
    assert list(bench.system.averages) == ["generator"]
    for number in range(4):
        before = [p.clone() for p in bench.system.averages.parameters()]
        bench.step(batch(2 * number))
        keep = 0.5 ** (2 / min(10, 0.05 * bench.system.images_seen))
        live = bench.system.method.generators["generator"].parameters()
        for mean, old, new in zip(bench.system.averages.parameters(), before, live, strict=True):
            torch.testing.assert_close(mean, keep * old + (1 - keep) * new)


def test_the_average_counts_all_images_of_an_accumulated_turn() -> None:
    bench = Bench(system(ema=10, accumulate=2))
    before = [p.clone() for p in bench.system.averages.parameters()]
    for number in range(2):
        bench.step(batch(2 * number))
    keep = 0.5 ** (4 / (0.05 * 4))  # four images, a half-life ramped up to 5 % of those seen
    live = bench.system.method.generators["generator"].parameters()
    for mean, old, new in zip(bench.system.averages.parameters(), before, live, strict=True):
        torch.testing.assert_close(mean, keep * old + (1 - keep) * new)


def test_looking_uses_the_averages_and_changes_nothing() -> None:
    bench = Bench(system(ema=10))
    bench.step(batch())
    bench.precision_plugin = pytest.importorskip("pytorch_lightning").plugins.precision.Precision()  # type: ignore[attr-defined]
    before, random = list(parameters(bench.system)), torch.get_rng_state()
    bench.step(batch(2))
    after, random = list(parameters(bench.system)), torch.get_rng_state()
    mean = [p.clone() for p in bench.system.averages.parameters()]
    with bench.system.looking():
        seen = list(bench.system.method.generators["generator"].parameters())
        assert all(torch.equal(a, b) for a, b in zip(seen, mean, strict=True))
        assert not bench.system.method.training
        torch.rand(3)
        _, terms = bench.system.judge(batch(4))
    assert {name.split("/")[0] for name in terms} == {"val"}
    assert torch.equal(random, torch.get_rng_state())
    assert bench.system.method.training
    assert all(torch.equal(a, b) for a, b in zip(after, parameters(bench.system), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_image_pool_is_asked_once_per_training_batch_and_never_while_looking() -> None:
    torch.manual_seed(0)
    light, critic = partial(Light, channels=4, blocks=1), partial(PatchGAN, channels=4, layers=1)
    method = CycleGAN(light(), light(), critic(), critic(), adversarial="lsgan")
    weights = {
        "discriminator": WEIGHTS["discriminator"],
        "generator": {"adversarial": 1.0, "cycle": 10.0, "identity": 5.0},
    }
    bench = Bench(system(method, weights=weights))
    bench.precision_plugin = pytest.importorskip("pytorch_lightning").plugins.precision.Precision()  # type: ignore[attr-defined]
    bench.step(batch())
    held = {field: len(pool.images) for field, pool in method.pools.items()}
    assert set(held.values()) == {2}
    with bench.system.looking():
        bench.system.judge(batch(2))
    assert {field: len(pool.images) for field, pool in method.pools.items()} == held


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            {"adversarial": 1.0},
            r"\['adversarial'\] do not match the losses \['adversarial', 'l1'\]; give system.weights.generator",
        ),
        ({"adversarial": 1.0, "l1": 1.0, "l2": 1.0}, r"\['adversarial', 'l1', 'l2'\] do not match"),
        ({"adversarial": 1.0, "l1": "ten"}, r"system.weights.generator.l1 must be a number, but got 'ten'"),
    ],
)
def test_weights_that_are_not_one_number_per_term_are_refused(weights: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        system(weights={**WEIGHTS, "generator": weights})


def test_a_misspelt_player_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"unknown player in system\.weights: 'generater'; did you mean 'generator'"):
        system(weights={"discriminator": WEIGHTS["discriminator"], "generater": WEIGHTS["generator"]})


def test_a_loss_that_is_not_finite_stops_the_run_with_its_name() -> None:
    bench = Bench(system())
    nn.init.constant_(next(bench.system.method.generators["generator"].parameters()), float("nan"))
    with pytest.raises(TrainingError, match=r"the loss .*generator/l1.* is not finite"):
        bench.step(batch())


def test_a_bad_step_is_still_seen_many_steps_later() -> None:
    journal = Journal()
    for value in (1.0, float("inf"), 2.0, 3.0):
        journal.add({"train/generator/l1": torch.tensor(value), "train/generator/adversarial": torch.tensor(1.0)})
    with pytest.raises(TrainingError, match="the loss generator/l1 is not finite"):
        journal.means()


def test_lazy_penalties_come_every_nth_turn_with_n_times_their_weight() -> None:
    torch.manual_seed(0)
    method = type(pix2pix())(
        Light(channels=4, blocks=1), PatchGAN(in_channels=6, channels=4, layers=1), adversarial="vanilla", r1=True
    )
    weights = {"discriminator": {**WEIGHTS["discriminator"], "r1": 2.0}, "generator": WEIGHTS["generator"]}
    bench = Bench(system(method, weights=weights, lazy={"r1": 3}))
    seen = []
    for number in range(7):
        bench.step(batch(2 * number))
        seen.append(bench.system.journal._counts.get("train/discriminator/r1", 0))
    assert seen == [1, 1, 1, 2, 2, 2, 3]
    assert bench.system._weights(bench.system.players[0])["r1"] == 6.0


def test_an_interval_for_what_is_not_a_penalty_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"system\.lazy names 'l1'"):
        system(lazy={"l1": 2})
