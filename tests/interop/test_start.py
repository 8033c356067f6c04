"""Training goes on from imported weights, and weights of ours go back as a file."""

import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from interop.references import patchgan, resnet, saved, trained
from safetensors.torch import save_file
from training.game import checkpoint, here, newest

from ganstyle import artifact, images
from ganstyle.errors import ArtifactError, WeightsError
from ganstyle.interop import start
from ganstyle.interop.cyclegan import recognize
from ganstyle.interop.outward import write_pytorch_cyclegan
from ganstyle.interop.weights import import_weights, keep
from ganstyle.nn.light import Light
from ganstyle.nn.patchgan import PatchGAN

CONF = Path(__file__).resolve().parents[2] / "conf"


def imported(network: torch.nn.Module, folder: Path, name: str) -> Path:
    torch.save(saved(network), folder / "theirs.pth")
    keep(import_weights(folder / "theirs.pth"), folder / name)
    return folder / name


def test_a_method_of_the_configuration_starts_from_imported_weights(tmp_path: Path) -> None:
    painter, judge = (
        trained(resnet(6, 4, "instance", down=True, up=True)),
        trained(patchgan(6, 4, 2, "instance", down=True)),
    )
    model, file = imported(painter, tmp_path, "model"), imported(judge, tmp_path, "judge.safetensors")
    words = [
        "method=pix2pix",
        f"system.method.generator={{_target_: ganstyle.interop.start.generator, path: {model}}}",
        f"system.method.discriminator={{_target_: ganstyle.interop.start.discriminator, path: {file}}}",
    ]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        method = instantiate(compose("train", words).system.method, _convert_="all")
    image = torch.rand(2, 3, 32, 32) * 2 - 1
    batch = {"source": image, "target": image.flip(0), "seed": torch.arange(2)}
    outputs = method(batch)
    torch.testing.assert_close(method.generator(image), painter(image), atol=1e-5, rtol=1e-5)
    for player in method.players:
        sum(player.losses(outputs).values()).backward(retain_graph=True)
        assert all(parameter.grad is not None for parameter in player.network.parameters())


def test_a_discriminator_comes_back_as_it_was(tmp_path: Path) -> None:
    network = PatchGAN(in_channels=6, channels=4, layers=2, norm="batch", statistics_at_test="running")
    start.save_discriminator(network, tmp_path / "judge.safetensors", {"imported": "x.pth"})
    again = start.discriminator(str(tmp_path / "judge.safetensors"))
    assert again.arguments == network.arguments
    assert all(torch.equal(one, other) for one, other in zip(again.parameters(), network.parameters(), strict=True))
    assert [path.name for path in tmp_path.iterdir()] == ["judge.safetensors"]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (None, "does not say which discriminator"),
        ({"ganstyle": "{"}, "no discriminator that `ganstyle import` wrote"),
        ({"ganstyle": '{"network": "patchgam", "arguments": {}}'}, "did you mean 'patchgan'"),
        ({"ganstyle": '{"network": "patchgan", "arguments": {"layers": 0}}'}, "discriminator.layers is 0"),
        ({"ganstyle": '{"network": "patchgan", "arguments": {"channels": 4}}'}, "do not fit"),
    ],
)
def test_a_file_that_holds_no_discriminator_is_refused(
    tmp_path: Path, header: dict[str, str] | None, words: str
) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors", header)
    with pytest.raises(WeightsError, match=words):
        start.discriminator(str(tmp_path / "w.safetensors"))
    with pytest.raises(WeightsError, match="is no discriminator; there is patchgan"):
        start.save_discriminator(Light(blocks=1, channels=4), tmp_path / "x.safetensors", {})


def test_an_artifact_goes_out_as_their_file_and_comes_back(tmp_path: Path) -> None:
    model = imported(trained(resnet(6, 4, "batch", up=True)), tmp_path, "model")
    assert write_pytorch_cyclegan(model, tmp_path / "out" / "latest_net_G.pth") == ()
    tensors = torch.load(tmp_path / "out" / "latest_net_G.pth", weights_only=True)
    again, ours = recognize(tensors)[0].state_dict(), artifact.load(model).network.state_dict()
    assert again.keys() == ours.keys()
    assert all(torch.equal(again[name], ours[name]) for name in ours)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["latest_net_G.pth"]
    write_pytorch_cyclegan(model, tmp_path / "again.pth")
    assert (tmp_path / "again.pth").read_bytes() == (tmp_path / "out" / "latest_net_G.pth").read_bytes()


def test_what_cannot_go_out_leaves_nothing(tmp_path: Path) -> None:
    artifact.save(Light(blocks=1, channels=4), tmp_path / "model")
    with pytest.raises(ArtifactError, match="no network like Light"):
        write_pytorch_cyclegan(tmp_path / "model", tmp_path / "out.pth")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_discriminator_for_which_there_is_no_room_leaves_nothing(tmp_path: Path) -> None:
    network, before = PatchGAN(channels=4, layers=2), resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        with pytest.raises(WeightsError, match=r"judge\.safetensors cannot be written: File too large"):
            start.save_discriminator(network, tmp_path / "judge.safetensors", {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


ROLES = {
    "cut": ({"generator": "G"}, {"discriminator": "D"}),
    "cyclegan": (
        {"source_to_target": "G_A", "target_to_source": "G_B"},
        {"target_discriminator": "D_A", "source_discriminator": "D_B"},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("method", ROLES)
def test_a_run_goes_on_from_what_other_code_has_trained(method: str, tmp_path: Path) -> None:
    """The guide's own command, on small pictures: a few steps away from the imported weights, and no more."""
    generators, discriminators = ROLES[method]
    words = [f"method={method}"]
    for name, file in (generators | discriminators).items():
        kind = "generator" if name in generators else "discriminator"
        theirs = resnet(6, 4, "instance", down=True, up=True) if kind == "generator" else patchgan(3, 4, 2, "instance")
        path = imported(trained(theirs), tmp_path, file if kind == "generator" else f"{file}.safetensors")
        words.append(f"system.method.{name}={{_target_: ganstyle.interop.start.{kind}, path: {path}}}")
    for place in ("trainA", "trainB"):
        (tmp_path / "set" / place).mkdir(parents=True)
        for n in range(4):
            pixels = np.random.default_rng(n).integers(0, 256, (40, 44, 3), dtype=np.uint8)
            images.write(pixels, tmp_path / "set" / place / f"{n}.png")
    small = [f"data.{name}" for name in ("source_resize=36", "target_resize=36", "crop=32", "view=32", "val=1")]
    less = ["trainer.max_epochs=null", "trainer.max_images=6", "trainer.accelerator=cpu", "trainer.workers=0"]
    base = ("experiment=monet_paper", f"data.root={tmp_path / 'set'}")
    ended = here(tmp_path / "runs", *words, *small, *less, base=base)
    assert ended.code == 0, ended.err
    players = checkpoint(newest(tmp_path / "runs", "monet_paper"))["networks"].values()
    state = {key: value for network in players for key, value in network.items()}
    for name in generators | discriminators:
        before = _weights(name, generators | discriminators, tmp_path)
        prefix = {"discriminator": ""}.get(name, f"{name.removesuffix('_discriminator')}.")
        moved = [float((state[prefix + key] - value).abs().max()) for key, value in before.items()]
        assert 1e-5 < max(moved) < 6 * 2 * 2e-4  # Adam's step is about its rate


def _weights(name: str, files: dict[str, str], folder: Path) -> dict[str, torch.Tensor]:
    path = folder / files[name]
    network = start.generator(str(path)) if path.is_dir() else start.discriminator(f"{path}.safetensors")
    return {name: tensor.detach() for name, tensor in network.named_parameters()}
