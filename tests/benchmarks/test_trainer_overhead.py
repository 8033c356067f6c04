from pathlib import Path

import torch

from benchmarks import trainer_overhead


def test_loop_and_trainer_train_the_same_weights(tmp_path: Path) -> None:
    run = trainer_overhead.Run(tmp_path, 6, 2)
    systems = []
    build = run._system
    run._system = lambda: systems.append(build()) or systems[-1]  # type: ignore[method-assign,func-returns-value]
    assert run.loop() > 0
    assert run.fit() > 0
    mine, other = (system.method.state_dict() for system in systems)
    for name, tensor in mine.items():
        assert torch.equal(tensor, other[name]), name


def test_overheads_are_differences_to_the_loop_of_the_round() -> None:
    rows = trainer_overhead.told({"loop": [1.0, 2.0, 9.0], "fit": [2.0, 3.0, 10.5]})
    assert rows["loop"]["overhead"] == 0
    assert rows["fit"] == {"milliseconds": 3.0, "overhead": 1.0, "at_most": 1.5, "met": True}
