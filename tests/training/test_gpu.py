"""Whole runs on a GPU: `pytest -m gpu` where there is one; on a processor, to see that these tests can pass."""

from pathlib import Path

import pytest
import torch
from training.game import NETWORKS, REPOSITORY, UNPAIRED, checkpoint, fault, newest, train

pytestmark = pytest.mark.slow
SWITCHES = {
    "plain": (),
    "bf16, compiled": ("trainer.precision=bf16-mixed", "trainer.compile=true"),
    "bf16, channels last, graphs": (
        *("trainer.precision=bf16-mixed", "trainer.memory_format=channels_last"),
        *("trainer.compile=false", "trainer.graphs=true"),
    ),
    "workers": ("trainer.workers=2",),
}
METHODS = {
    "cyclegan": ("method=cyclegan", *UNPAIRED, *NETWORKS),
    "cut": ("method=cut", *UNPAIRED, *NETWORKS, "system.method.taps=null"),
    "perceptual_gan": ("method=perceptual_gan", *UNPAIRED, *NETWORKS),
    "distill": ("method=distill", f"system.method.teacher.artifact={REPOSITORY}/examples/models/monet", *NETWORKS),
}
CASES = SWITCHES | METHODS


@pytest.fixture(params=["cpu", pytest.param("gpu", marks=pytest.mark.gpu)])
def accelerator(request: pytest.FixtureRequest) -> str:
    return f"trainer.accelerator={request.param}"


@pytest.mark.parametrize("overrides", CASES.values(), ids=CASES)
def test_a_run_ends_with_finite_weights_and_an_artifact(
    tmp_path: Path, accelerator: str, overrides: tuple[str, ...]
) -> None:
    ended = train(tmp_path, accelerator, *overrides)
    assert ended.code == 0, ended.err
    run = newest(tmp_path)
    generators = checkpoint(run)["generators"].values()
    assert len(list(run.rglob("weights.safetensors"))) == len(generators)
    assert all(torch.isfinite(weight).all() for weights in generators for weight in weights.values())


def test_a_run_that_was_killed_goes_on_and_ends_as_one_that_was_not(tmp_path: Path, accelerator: str) -> None:
    whole, other = tmp_path / "whole", tmp_path / "other"
    whole.mkdir(), other.mkdir()
    knobs = (accelerator, *SWITCHES["bf16, channels last, graphs"], "system.ema=8")
    assert train(whole, *knobs).code == 0
    assert train(other, *knobs, *fault("kill", 20)).code == -9
    resumed = train(other, *knobs, "resume=last")
    assert resumed.code == 0, resumed.err
    assert_alike(newest(whole), newest(other))


@pytest.fixture(
    params=[
        "cpu",
        pytest.param(
            "gpu",
            marks=[pytest.mark.gpu, pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")],
        ),
    ]
)
def both(request: pytest.FixtureRequest) -> str:
    return f"trainer.accelerator={request.param}"


@pytest.mark.parametrize("graphs", ["false", "true"])
def test_two_devices_train_as_one_with_the_doubled_batch(tmp_path: Path, both: str, graphs: str) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir(), two.mkdir()
    knobs = (both, "system.ema=8", "trainer.compile=false", f"trainer.graphs={graphs}")
    alone = train(one, *knobs, "trainer.batch_size=4")
    assert alone.code == 0, alone.err
    together = train(two, *knobs, "trainer=ddp", "trainer.devices=2", "trainer.batch_size=2")
    assert together.code == 0, together.err
    assert_alike(newest(one), newest(two))


def assert_alike(run: Path, other: Path) -> None:
    """Two runs saw as much and learned the same, as closely as kernels whose sums have no order allow."""
    first, second = checkpoint(run), checkpoint(other)
    assert first["images_seen"] == second["images_seen"]
    assert first["scores"] == pytest.approx(second["scores"], rel=5e-3)  # eight images less are 1.5 % of the PSNR
