"""A step that is launched as CUDA graphs is the step that runs operation by operation.

On a processor a tape stands in for the graphs; `pytest -m gpu` tries real ones.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from training.bench import Bench, batch
from training.game import pix2pix, system
from training.tape import instead_of_cuda
from training.watch.test_verdicts import LIMITS

from ganstyle.methods.base import Method
from ganstyle.methods.cyclegan import CycleGAN
from ganstyle.methods.perceptual_gan import PerceptualGAN
from ganstyle.methods.pix2pix import Pix2Pix
from ganstyle.nn.light import Light
from ganstyle.nn.patchgan import PatchGAN
from ganstyle.nn.vgg import perceptual
from ganstyle.training.loaders import to_device
from ganstyle.training.passes import Graphs, is_replayable
from ganstyle.training.watch.monitor import Monitor

STEPS = 8


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


def with_r1() -> Pix2Pix:
    return Pix2Pix(painter(), PatchGAN(in_channels=6, channels=4, layers=1), adversarial="vanilla", r1=True)


WITH_R1 = {"discriminator": {"real": 0.5, "fake": 0.5, "r1": 1.0}, "generator": {"adversarial": 1.0, "l1": 10.0}}
METHODS: dict[str, Callable[[], Method[Any]]] = {
    "pix2pix": pix2pix,
    "cyclegan": cyclegan,
    "perceptual_gan": perceptual_gan,
}


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "cpu":
        instead_of_cuda(monkeypatch)
    return str(request.param)


def stepped(method: Method[Any], device: str, *, graphs: bool, watched: bool = False, switched: bool = False) -> Any:
    """A system after some steps; `switched` turns bf16 and channels last on, as a GPU is best used."""
    torch.manual_seed(1)
    weights = {player.name: dict.fromkeys(player.terms, 1.0) for player in method.players}
    subject: Any = system(method, weights=weights, ema=10).to(device)
    if graphs:
        subject.passes = Graphs()
    if switched:
        method.to(memory_format=torch.channels_last)
    for field, pool in method.pools.items():
        pool.reseed(0, field, 0)
    bench = Bench(subject)
    if watched:
        subject.witness = Monitor(subject, None, LIMITS, sample_every=2, crowd=8, known=8)
    for number in range(STEPS):
        with torch.autocast(device, torch.bfloat16, enabled=switched):
            bench.step(to_device(batch(2 * number), subject.device))
    return subject


@pytest.mark.parametrize("name", METHODS)
def test_graphs_train_as_single_operations_do(name: str, device: str) -> None:
    eager, graphed = (stepped(METHODS[name](), device, graphs=graphs) for graphs in (False, True))
    assert graphed.passes._replaying
    for (key, one), other in zip(eager.method.state_dict().items(), graphed.method.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=2e-3, atol=2e-3, msg=key)
    assert graphed.journal.means() == pytest.approx(eager.journal.means(), rel=2e-2, abs=2e-3)
    for one, other in zip(eager.averages.parameters(), graphed.averages.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", METHODS)
def test_graphs_train_as_single_operations_do_in_bf16_and_channels_last_too(name: str, device: str) -> None:
    eager, graphed = (stepped(METHODS[name](), device, graphs=graphs, switched=True) for graphs in (False, True))
    assert graphed.passes._replaying
    for (key, one), other in zip(eager.method.state_dict().items(), graphed.method.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-2, msg=key)
    assert graphed.journal.means() == pytest.approx(eager.journal.means(), rel=5e-2, abs=1e-2)


def test_the_watch_hears_what_a_graph_says(device: str) -> None:
    eager, graphed = (stepped(pix2pix(), device, graphs=graphs, watched=True) for graphs in (False, True))
    seen, heard = eager.witness.look(), graphed.witness.look()
    assert seen is not None
    assert heard is not None
    assert graphed.witness.judges == eager.witness.judges
    assert heard.curves().keys() == seen.curves().keys()
    assert heard.curves() == pytest.approx(seen.curves(), rel=5e-2, abs=5e-2, nan_ok=True)


def test_a_batch_of_another_size_goes_operation_by_operation_and_the_next_one_as_graphs_again(device: str) -> None:
    subject = stepped(pix2pix(), device, graphs=True)
    for count, replays in ((1, False), (2, True)):
        before = [p.detach().clone() for p in subject.method.parameters()]
        subject.training_step(to_device(batch(100, count=count), subject.device), 0)
        assert subject.passes._replaying is replays
        assert any(not torch.equal(a, b) for a, b in zip(before, subject.method.parameters(), strict=True))


def test_penalties_and_accumulation_are_not_recorded() -> None:
    for subject in (system(pix2pix(), accumulate=2), system(with_r1(), weights=WITH_R1)):
        assert not is_replayable(subject)


def test_a_method_that_still_gathers_targets_is_not_recorded() -> None:
    subject = system(perceptual_gan(), weights={p.name: dict.fromkeys(p.terms, 1.0) for p in perceptual_gan().players})
    bench = Bench(subject)
    found = []
    for number in range(4):
        found.append(is_replayable(subject))
        bench.step(batch(2 * number))
    assert found == [False, False, False, True]
