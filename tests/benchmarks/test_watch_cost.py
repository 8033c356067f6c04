"""What the watch costs is measured in a real run: both kinds of stretches, the callback inside the watched ones."""

from typing import Any

import pytest
from training.game import NETWORKS

from benchmarks import watch_cost
from ganstyle.training.callbacks.health import Health

TINY = ("experiment=smoke", *NETWORKS, *watch_cost.EVERYWHERE, "data.scenes=8", "data.size=32")
OFTEN = ("callbacks.health.every=4", "callbacks.health.sample_every=2", "trainer.accelerator=cpu")


def test_watched_stretches_and_others_take_turns_in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[int] = []

    def counting(self: Health, trainer: Any, system: Any, *_: Any) -> None:
        called.append(system.images_seen)

    monkeypatch.setattr(Health, "on_train_batch_end", counting)
    steps, watched, alone = watch_cost.seconds((*TINY, *OFTEN), rounds=2)
    assert (steps, len(watched), len(alone)) == (4, 2, 2)
    batch = called[0]
    assert called == [batch * number for number in (1, 2, 3, 4, 9, 10, 11, 12, 17, 18, 19, 20)]


def test_the_ratio_is_of_neighbors_and_its_median_is_told_first() -> None:
    told = watch_cost.summed((10, [1.1, 4.0, 3.3], [1.0, 2.0, 3.0]))
    assert told == {"ratio": [1.1, 1.1, 2.0], "rounds": 3, "steps": 10, "milliseconds a step": 200.0}
