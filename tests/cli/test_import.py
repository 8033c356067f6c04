"""`ganstyle import`: from a file of another program to an artifact that the other commands take."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from interop.references import patchgan, resnet, saved, trained, unet
from safetensors.torch import save_file
from torch import nn

import ganstyle
from ganstyle import artifact, images
from ganstyle.cli import main
from ganstyle.images import to_tensor
from ganstyle.interop import start
from ganstyle.nn.light import Light
from ganstyle.nn.microast import MicroAST
from ganstyle.nn.resnet import ResNet
from ganstyle.stylize.budget import plan


def file_of(network: nn.Module, folder: Path, name: str = "latest_net_G.pth", prefix: str = "") -> Path:
    torch.save({prefix + key: tensor for key, tensor in saved(network).items()}, folder / name)
    return folder / name


def photograph(folder: Path, height: int = 40, width: int = 51) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    images.write(pixels, folder / "photo.png")
    return folder / "photo.png"


GENERATORS = {
    "CycleGAN": lambda: resnet(6, 4, "instance"),
    "CUT": lambda: resnet(9, 4, "instance", down=True, up=True),
    "pix2pix": lambda: unet(5, 4, "batch"),
}


@pytest.mark.parametrize("name", GENERATORS)
def test_an_imported_generator_restyles_as_the_reference(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = trained(GENERATORS[name]())
    file, model = file_of(theirs, tmp_path, prefix="module."), tmp_path / "model"
    assert main(["import", str(file), "--output", str(model), "--licence", "CC BY 4.0"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{file}: ")
    assert told.count("\n") == 2
    card = artifact.read_card(model)
    assert card.licence == "CC BY 4.0"
    assert card.training["imported"] == "latest_net_G.pth"
    assert card.training["imported_as"] in told
    photo = photograph(tmp_path, 64, 96)
    assert main(["stylize", str(photo), "--model", str(model), "--output", str(tmp_path / "out.png")]) == 0
    image = to_tensor(images.read(photo))[None]
    with torch.inference_mode():
        wanted = images.to_uint8(theirs(image)[0])
    assert np.abs(images.read(tmp_path / "out.png").astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("name", GENERATORS)
def test_an_imported_generator_takes_any_size_and_little_memory(name: str, tmp_path: Path) -> None:
    model = tmp_path / "model"
    main(["import", str(file_of(trained(GENERATORS[name]()), tmp_path)), "--output", str(model)])
    picture = images.read(photograph(tmp_path, 101, 75))
    whole, in_strips = (
        ganstyle.load(model, max_memory=memory).stylize(picture).astype(int) for memory in ("1GB", "900KB")
    )
    assert whole.shape == picture.shape
    assert plan(artifact.load(model).network, 128, 96, memory=900_000).in_strips
    assert np.abs(whole - in_strips).max() <= 1


PUBLISHED = {"fast_style_scream_fp16": (), "fast_style_wave_fp16": (), "microast": ("--style",)}


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_file_restyles_a_photograph(name: str, tmp_path: Path, shared_data: Path | None) -> None:
    if shared_data is None:
        pytest.skip("needs real pictures and weights beside the checkout")
    file, model = shared_data / "weights" / f"{name}.safetensors", tmp_path / "model"
    painting = [str(next((shared_data / "paintings" / "vangogh").glob("*.jpg")))] if PUBLISHED[name] else []
    assert main(["import", str(file), *PUBLISHED[name], *painting, "--output", str(model)]) == 0
    picture = images.resize(images.read(shared_data / "kodak" / "03.png"), 250, 331)
    loaded = artifact.load(model)
    whole, in_strips = (
        ganstyle.load(model, max_memory=memory).stylize(picture).astype(int) for memory in ("2GB", "20MB")
    )
    assert plan(loaded.network, 252, 332, memory=20_000_000).in_strips
    assert whole.shape == picture.shape
    assert np.abs(whole - in_strips).max() <= 1
    assert 5 < np.abs(whole - picture).mean() < 100
    assert np.corrcoef(whole.mean(2).ravel(), picture.mean(2).ravel())[0, 1] > 0.3


def test_a_style_belongs_to_a_network_for_any_style(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    painting = photograph(tmp_path)
    words = ["import", str(file_of(resnet(6, 4, "instance"), tmp_path)), "--output", str(tmp_path / "model")]
    assert main([*words, "--style", str(painting)]) == 2
    assert "of no network for any style" in capsys.readouterr().err
    save_file(MicroAST().state_dict(), tmp_path / "w.safetensors")
    words = ["import", str(tmp_path / "w.safetensors"), "--output", str(tmp_path / "model")]
    assert main([*words, "--style", str(painting), "--dropout"]) == 2
    assert "has neither" in capsys.readouterr().err
    assert main([*words, "--style", str(painting)]) == 0
    assert artifact.read_card(tmp_path / "model").training["style"] == "photo.png"


def test_a_discriminator_becomes_a_file_that_training_can_start_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = trained(patchgan(3, 4, 3, "instance", down=True))
    file, output = file_of(theirs, tmp_path, "latest_net_D_A.pth"), tmp_path / "judge.safetensors"
    assert main(["import", str(file), "--output", str(tmp_path / "judge")]) == 2
    assert "ends in .safetensors" in capsys.readouterr().err
    assert main(["import", str(file), "--output", str(output)]) == 0
    assert "PatchGAN discriminator of 3 halvings" in capsys.readouterr().out
    network, image = start.discriminator(str(output)), torch.rand(1, 3, 64, 48)
    torch.testing.assert_close(network(image)[0].logits, theirs(image), atol=1e-5, rtol=1e-5)
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_an_artifact_goes_back_under_their_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = saved(trained(resnet(6, 4, "instance", down=True, up=True)))
    torch.save(theirs, tmp_path / "latest_net_G.pth")
    main(["import", str(tmp_path / "latest_net_G.pth"), "--output", str(tmp_path / "model")])
    words = ["export", str(tmp_path / "model"), "--to", "pytorch-cyclegan"]
    capsys.readouterr()
    assert main(words) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'model_net_G.pth'}\n"
    back = torch.load(tmp_path / "model_net_G.pth", weights_only=True)
    assert back.keys() == theirs.keys()
    assert all(torch.equal(back[name], theirs[name]) for name in theirs if not name.endswith("filt"))
    assert main(words) == 2
    assert "add --force" in capsys.readouterr().err
    assert main([*words, "--force", "--precision", "fp16"]) == 2
    assert "leave out --precision" in capsys.readouterr().err


def test_what_their_code_does_otherwise_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artifact.save(ResNet(blocks=1, channels=4), tmp_path / "model")
    assert main(["export", str(tmp_path / "model"), "--to", "pytorch-cyclegan"]) == 0
    assert "pads the two halvings with zeros" in capsys.readouterr().out
    artifact.save(Light(blocks=1, channels=4), tmp_path / "light")
    assert main(["export", str(tmp_path / "light"), "--to", "pytorch-cyclegan"]) == 2
    assert "no network like Light" in capsys.readouterr().err


def test_a_malicious_file_is_refused_and_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Malice:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "owned"),)

    torch.save({"model.1.weight": Malice()}, tmp_path / "latest_net_G.pth")
    assert main(["import", str(tmp_path / "latest_net_G.pth"), "--output", str(tmp_path / "model")]) == 2
    told = capsys.readouterr().err
    assert "running code that it brings" in told
    assert told.count("\n") == 1
    assert not (tmp_path / "owned").exists()
    assert not (tmp_path / "model").exists()


def test_nothing_is_overwritten_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["import", str(file_of(resnet(6, 4, "instance"), tmp_path)), "--output", str(tmp_path / "model")]
    assert main(words) == 0
    assert main(words) == 2
    assert "add --force" in capsys.readouterr().err
    assert main([*words, "--force"]) == 0


def test_what_fits_nothing_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_file({"conv1.weight": torch.zeros(2)}, tmp_path / "w.safetensors")
    assert main(["import", str(tmp_path / "w.safetensors"), "--output", str(tmp_path / "model")]) == 2
    assert "no network that ganstyle knows: conv1.weight" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_the_choices_for_pix2pix_reach_the_card(tmp_path: Path) -> None:
    file = file_of(trained(unet(7, 4, "batch")), tmp_path)
    assert main(["import", str(file), "--statistics", "batch", "--dropout", "--output", str(tmp_path / "model")]) == 0
    arguments = artifact.read_card(tmp_path / "model").arguments
    assert (arguments["dropout"], arguments["dropout_at_test"], arguments["statistics_at_test"]) == (0.5, True, "batch")
