"""What only a GPU can show: `pytest -m gpu`."""

import pytest
import torch
from training.bench import Bench, batch
from training.game import system
from training.watch.test_verdicts import LIMITS

from ganstyle.training.loaders import to_device
from ganstyle.training.watch.monitor import Monitor


@pytest.mark.gpu
def test_watching_a_step_never_waits_for_the_gpu() -> None:
    subject = system().cuda()
    bench = Bench(subject)
    monitor = Monitor(subject, None, LIMITS, sample_every=1, crowd=8, known=8)
    subject.witness = monitor
    batches = [to_device(batch(2 * number), subject.device) for number in range(6)]
    for data in batches[:2]:
        bench.step(data)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for data in batches[2:]:
            bench.step(data)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    evidence = monitor.look()
    assert evidence is not None
    assert evidence.images_seen == 12
