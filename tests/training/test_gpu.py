"""What only a GPU can show: `pytest -m gpu` on a machine that has one."""

from pathlib import Path

import pytest
import torch
from training.game import checkpoint, newest, train


@pytest.mark.gpu
@pytest.mark.parametrize(
    "switches", [(), ("trainer.precision=bf16-mixed", "trainer.compile=true"), ("trainer.workers=2",)]
)
def test_a_run_on_a_gpu_ends_with_finite_weights_and_an_artifact(tmp_path: Path, switches: tuple[str, ...]) -> None:
    done = train(tmp_path, "trainer.accelerator=gpu", *switches)
    assert done.returncode == 0, done.stderr
    run = newest(tmp_path)
    assert (run / "artifact" / "weights.safetensors").is_file()
    weights = checkpoint(run)["generators"]["generator"]
    assert all(torch.isfinite(value).all() for value in weights.values())


@pytest.mark.gpu
@pytest.mark.parametrize("method", ["pix2pix", "cyclegan", "cut", "perceptual_gan"])
def test_every_method_trains_on_a_gpu(tmp_path: Path, method: str) -> None:
    done = train(
        tmp_path, f"method={method}", "generator=light", "discriminator=patchgan_light", "trainer.accelerator=gpu"
    )
    assert done.returncode == 0, done.stderr
