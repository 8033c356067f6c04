"""A step that is launched as CUDA graphs is the step that runs operation by operation: `pytest -m gpu`."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from training.bench import Bench, batch
from training.game import pix2pix, system
from training.watch.test_verdicts import LIMITS

from ganstyle.methods.base import Method
from ganstyle.methods.cyclegan import CycleGAN
from ganstyle.methods.perceptual_gan import PerceptualGAN
from ganstyle.nn.light import Light
from ganstyle.nn.patchgan import PatchGAN
from ganstyle.nn.vgg import perceptual
from ganstyle.training.loaders import to_device
from ganstyle.training.passes import Graphs
from ganstyle.training.watch.monitor import Monitor

STEPS = 12


def critic() -> PatchGAN:
    return PatchGAN(channels=4, layers=1)


def painter() -> Light:
    return Light(channels=4, blocks=1)


def cyclegan() -> CycleGAN:
    torch.manual_seed(0)
    return CycleGAN(painter(), painter(), critic(), critic(), adversarial="lsgan", pool_size=6)


def perceptual_gan() -> PerceptualGAN:
    torch.manual_seed(0)
    layers = {"relu1_1": 1.0, "relu2_1": 1.0}
    return PerceptualGAN(
        painter(), critic(), perceptual(), adversarial="hinge", content_layers={"relu2_1": 1.0}, style_layers=layers,
        style=("gram", "bands"), remembered=5,
    )  # fmt: skip


METHODS: dict[str, Callable[[], Method[Any]]] = {
    "pix2pix": pix2pix,
    "cyclegan": cyclegan,
    "perceptual_gan": perceptual_gan,
}


def stepped(method: Method[Any], *, graphs: bool, watched: bool = False) -> Any:
    weights = {player.name: dict.fromkeys(player.terms, 1.0) for player in method.players}
    subject: Any = system(method, weights=weights, ema=10).cuda()
    if graphs:
        subject.passes = Graphs()
    for field, pool in method.pools.items():
        pool.reseed(0, field, 0)
    bench = Bench(subject)
    if watched:
        subject.witness = Monitor(subject, None, LIMITS, sample_every=2, crowd=8, known=8)
    for number in range(STEPS):
        bench.step(to_device(batch(2 * number), subject.device))
    torch.cuda.synchronize()
    return subject


@pytest.mark.gpu
@pytest.mark.parametrize("name", METHODS)
def test_graphs_train_as_single_operations_do(name: str) -> None:
    eager, graphed = (stepped(METHODS[name](), graphs=graphs) for graphs in (False, True))
    assert graphed.passes._replaying
    for (key, one), other in zip(eager.method.state_dict().items(), graphed.method.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=2e-3, atol=2e-3, msg=key)
    assert graphed.journal.means() == pytest.approx(eager.journal.means(), rel=2e-2, abs=2e-3)


@pytest.mark.gpu
def test_the_watch_hears_what_a_graph_says() -> None:
    eager, graphed = (stepped(pix2pix(), graphs=graphs, watched=True) for graphs in (False, True))
    seen, heard = eager.witness.look(), graphed.witness.look()
    assert seen is not None
    assert heard is not None
    assert heard.curves().keys() == seen.curves().keys()
    assert heard.curves() == pytest.approx(seen.curves(), rel=5e-2, abs=5e-2, nan_ok=True)


@pytest.mark.gpu
def test_a_batch_of_another_size_goes_through() -> None:
    subject = stepped(pix2pix(), graphs=True)
    before = [p.detach().clone() for p in subject.method.parameters()]
    subject.training_step(to_device(batch(100, count=1), subject.device), 0)
    assert not subject.passes._replaying
    assert any(not torch.equal(a, b) for a, b in zip(before, subject.method.parameters(), strict=True))
