"""Every network's config offers exactly its constructor's choices."""

import inspect
from pathlib import Path

import pytest
import torch
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

CONF = Path(__file__).parents[2] / "conf"
FILES = sorted([*CONF.glob("generator/*.yaml"), *CONF.glob("discriminator/*.yaml")])
COUNTS = {
    "unet256": 54_413_955,
    "unet128": 41_828_995,
    "resnet9": 11_378_179,
    "resnet6": 7_837_699,
    "patchgan": 2_764_737,
    "pixel": 8_705,
    "multiscale": 3 * 2_764_737,
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_config_names_every_choice_so_that_each_can_be_overridden(file: Path) -> None:
    config = OmegaConf.load(file)
    constructor = inspect.signature(get_class(config._target_).__init__).parameters
    assert set(config) - {"_target_"} == set(constructor) - {"self"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_config_builds_its_network(file: Path) -> None:
    config = OmegaConf.load(file)
    with torch.device("meta"):
        network = instantiate(config)
    assert network.arguments == {key: value for key, value in config.items() if key != "_target_"}
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == COUNTS.get(file.stem, count)


def test_the_light_critic_halves_three_times_from_48_to_192_channels() -> None:
    critic = instantiate(OmegaConf.load(CONF / "discriminator" / "patchgan_light.yaml"))
    (judgement,) = critic(torch.randn(1, 3, 64, 64))
    assert [feature.shape[1:3] for feature in judgement.features] == [(48, 32), (96, 16), (192, 8)]
