"""Steps under every switch take turns; the first rounds do not count."""

import pytest
import torch

from benchmarks import switches


def test_steps_take_turns_and_the_first_rounds_do_not_count() -> None:
    calls = list[str]()
    steps = {name: lambda name=name: calls.append(name) for name in "ab"}
    times = switches.timed(steps, rounds=3)
    assert calls == ["a", "b"] * (3 + switches.WARM_UP)
    assert {name: len(own) for name, own in times.items()} == {"a": 3, "b": 3}


@pytest.mark.parametrize("name", ["plain", "fused, bf16 and channels_last"])
def test_a_step_moves_both_players(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    real = switches.Pix2Pix
    monkeypatch.setattr(switches, "Pix2Pix", lambda *words, **options: made.append(real(*words, **options)) or made[0])
    monkeypatch.setattr(switches, "IMAGES", 1)
    step = switches.stepper(**switches.ARMS[name])
    before = [next(player.network.parameters()).detach().clone() for player in made[0].players]
    step()
    after = [next(player.network.parameters()).detach() for player in made[0].players]
    assert not any(torch.equal(old, new) for old, new in zip(before, after, strict=True))
