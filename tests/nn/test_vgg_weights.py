"""Every layout of a VGG file is read, and every flaw of one is named."""

import hashlib
import re
from http.client import IncompleteRead
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models import VGG19_Weights

from ganstyle import images
from ganstyle.errors import WeightsError
from ganstyle.nn.vgg import perceptual
from ganstyle.nn.vgg_files import EMBEDDED, imagenet_weights, weights_from_file
from ganstyle.nn.vgg_layers import convolutions, features_names, normalised_names, sequential_names, slim_names
from ganstyle.nn.vgg_weights import weights_from_state

State = dict[str, Tensor]
CLASSIFIER = {f"classifier.{n}.{part}": torch.zeros(1) for n in (0, 3, 6) for part in ("weight", "bias")}


def layers(architecture: str = "vgg19", until: str | None = None) -> State:
    """Draw a VGG of width 2 under our own names."""
    state, channels = {}, 3
    for name in convolutions(architecture):
        state[f"{name}.weight"], state[f"{name}.bias"] = torch.randn(2, channels, 3, 3), torch.randn(2)
        channels = 2
        if name == until:
            break
    return state


def spelled(state: State, names: dict[str, str], prefix: str = "") -> State:
    """Rename layers to a file's spelling, adding the color layer where the layout has one."""
    color = {"conv0.weight": torch.eye(3)[:, :, None, None], "conv0.bias": torch.ones(3)}
    ours = {name: f"{prefix}{theirs}" for theirs, name in names.items()}
    whole = {**(color if "conv0" in ours else {}), **state}
    return {f"{ours[key.split('.')[0]]}.{key.split('.')[1]}": value for key, value in whole.items()}


NORMALISED = normalised_names("vgg19")
LAYOUTS = {
    "features": spelled(layers(), features_names("vgg19")),
    "features prefix": spelled(layers(until="conv3_3"), features_names("vgg19"), "features."),
    "full": spelled(layers(), features_names("vgg19"), "features.") | CLASSIFIER,
    "normalised": spelled(layers(until="conv3_1"), NORMALISED),
    "sequential": spelled(layers(until="conv4_1"), sequential_names("vgg19")),
    "distilled": spelled(layers(until="conv2_2"), slim_names("vgg19"))
    | {"conv21_aux.weight": torch.ones(128, 2, 1, 1), "conv21_aux.bias": torch.ones(128)},
}
LASTS = ["relu5_4", "relu3_3", "relu5_4", "relu3_1", "relu4_1", "relu2_2"]


@pytest.mark.parametrize(("layout", "last"), list(zip(LAYOUTS, LASTS, strict=True)))
@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt"])
def test_every_layout_is_read_to_its_last_layer(layout: str, last: str, suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"weights{suffix}"
    save = save_file if suffix == ".safetensors" else torch.save
    save({key: value.clone() for key, value in LAYOUTS[layout].items()}, file)
    built = perceptual("a name that path overrides", path=str(file))
    assert built.layers[-1] == last
    assert built(torch.zeros(1, 3, 64, 64), [last])[last].shape[1] == 2


def test_the_same_weights_give_the_same_features_under_each_name() -> None:
    state = layers(until="conv2_1")
    spellings = [NORMALISED, sequential_names("vgg19"), slim_names("vgg19")]
    read = [weights_from_state(spelled(state, names), "vgg19", "a file") for names in spellings]
    assert {weights.padding for weights in read} == {"reflect"}
    for weights in read:
        for name, kernel in weights.convolutions.items():
            assert torch.equal(kernel.weight, state[f"{name}.weight"])
            assert torch.equal(kernel.bias, state[f"{name}.bias"])


def test_published_indices_are_those_of_torchvision_and_of_the_normalised_file() -> None:
    assert list(features_names("vgg16")) == [str(n) for n in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)]
    assert list(features_names("vgg19"))[8:] == [str(n) for n in (19, 21, 23, 25, 28, 30, 32, 34)]
    assert {"2": "conv1_1", "5": "conv1_2", "9": "conv2_1", "29": "conv4_1"}.items() <= sequential_names(
        "vgg19"
    ).items()


def test_maps_to_the_teachers_widths_are_kept_apart() -> None:
    weights = weights_from_state(LAYOUTS["distilled"], "vgg19", "a file")
    assert list(weights.heads) == ["relu2_1"]
    assert weights.heads["relu2_1"].weight.shape == (128, 2, 1, 1)


def without(state: State, *keys: str) -> State:
    return {key: value for key, value in state.items() if key not in keys}


FULL, DISTILLED = LAYOUTS["full"], LAYOUTS["distilled"]
FLAWS: dict[str, tuple[State, str]] = {
    "empty": ({}, "a file holds no VGG that ganstyle knows (it has nothing ...)"),
    "another network": ({"fc.weight": torch.ones(1)}, "a file holds no VGG that ganstyle knows (it has fc.weight ...)"),
    "gap": (without(FULL | {}, "features.5.weight", "features.5.bias", *CLASSIFIER), "lacks the weight of conv2_1"),
    "no bias": (without(LAYOUTS["normalised"], "conv2_1.bias"), "lacks the bias of conv2_1"),
    "no color layer": (without(LAYOUTS["normalised"], "conv0.bias", "conv0.weight"), "lacks the weight of conv0"),
    "cut": (without(FULL, "features.34.weight", "features.34.bias"), "only part of a VGG with a classifier"),
    "half a classifier": (without(FULL, "classifier.6.bias"), "only part of a VGG with a classifier"),
    "batch norm": (FULL | {"features.1.running_mean": torch.ones(2)}, "has the key 'features.1.running_mean'"),
    "left over": (LAYOUTS["normalised"] | {"conv9_1.weight": torch.ones(1)}, "has the key 'conv9_1.weight'"),
    "the other VGG": (
        spelled(layers("vgg16"), features_names("vgg16"), "features.") | CLASSIFIER,
        "holds a vgg16, not a vgg19; set perceptual.architecture=vgg16",
    ),
    "wide kernels": (FULL | {"features.0.weight": torch.ones(2, 3, 11, 11)}, "conv1_1 of a file should be a 3x3"),
    "broken chain": (FULL | {"features.2.weight": torch.ones(2, 7, 3, 3)}, "takes 7 channels, but is given 2"),
    "grey": (FULL | {"features.0.weight": torch.ones(2, 1, 3, 3)}, "takes 1 channels, but is given 3"),
    "long bias": (FULL | {"features.0.bias": torch.ones(9)}, "its bias (9,)"),
    "not finite": (FULL | {"features.0.bias": torch.full((2,), torch.nan)}, "values that are not finite"),
    "half a head": (without(DISTILLED, "conv21_aux.bias"), "lacks the bias of conv2_1"),
    "unknown head": (DISTILLED | {"conv99_aux.bias": torch.ones(1)}, "has the key 'conv99.bias'"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_is_named_in_one_sentence(flaw: str) -> None:
    state, message = FLAWS[flaw]
    with pytest.raises(WeightsError) as raised:
        weights_from_state(state, "vgg19", "a file")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def refusal(path: Path) -> str:
    with pytest.raises(WeightsError) as raised:
        weights_from_file(str(path), "vgg19")
    return str(raised.value)


def test_a_wrong_path_names_the_nearest_file(tmp_path: Path) -> None:
    assert "nor the folder" in refusal(tmp_path / "nowhere" / "vgg.pth")
    assert "nor any other" in refusal(tmp_path / "vgg.pth")
    (tmp_path / "vgg19_normalised.safetensors").touch()
    assert refusal(tmp_path / "vgg19_normalized.pth").endswith("did you mean 'vgg19_normalised.safetensors'?")
    assert refusal(tmp_path / "vgg19_normalised").endswith("did you mean 'vgg19_normalised.safetensors'?")
    assert "is a folder" in refusal(tmp_path)
    (tmp_path / "vgg.bin").touch()
    assert "should end in .safetensors, .pth, .pt" in refusal(tmp_path / "vgg.bin")


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("malicious"),)  # type: ignore[return-value]


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"no tensors here", b"PK\x03\x04 cut short"])
def test_a_damaged_file_is_refused(suffix: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / f"weights{suffix}"
    file.write_bytes(content)
    assert "cannot be read" in refusal(file)


def test_a_pickle_is_never_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"features.0.weight": Malicious()}, tmp_path / "weights.pth")
    assert "cannot be read" in refusal(tmp_path / "weights.pth")
    assert not (tmp_path / "malicious").exists()


@pytest.mark.parametrize("content", [[torch.ones(1)], {"state_dict": {}, "epoch": 3}])
def test_a_file_that_is_no_state_dict_is_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "weights.pth")
    assert "is no state dict of tensors by name" in refusal(tmp_path / "weights.pth")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of torchvision's that is empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    "error", [URLError("no route"), TimeoutError("slow"), ConnectionResetError(), IncompleteRead(b"")]
)
def test_imagenet_weights_without_a_network_say_what_to_do(
    error: Exception, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("torch.hub.download_url_to_file", fail)
    with pytest.raises(WeightsError, match=r"vgg19 could not be downloaded from https://.*perceptual=embedded\.$"):
        perceptual("imagenet")


def test_imagenet_weights_are_downloaded_with_their_hash_and_read(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = []

    def download(url: str, file: str, hash_prefix: str, progress: bool) -> None:
        expected.append((url, hash_prefix))
        torch.save(LAYOUTS["full"], file)

    monkeypatch.setattr("torch.hub.download_url_to_file", download)
    weights = imagenet_weights("vgg19")
    url = VGG19_Weights.IMAGENET1K_V1.url
    assert expected == [(url, re.findall(r"-(\w+)\.pth", url)[0])]
    assert weights.padding == "zeros"
    assert torch.equal(weights.convolutions["conv5_4"].weight, LAYOUTS["full"]["features.34.weight"])


def test_a_download_with_the_wrong_hash_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError('invalid hash value (expected "dcbb9e9d", got "00000000")')

    monkeypatch.setattr("torch.hub.download_url_to_file", fail)
    with pytest.raises(WeightsError, match=r"arrived damaged .*invalid hash value"):
        imagenet_weights("vgg19")


def test_a_cached_file_is_checked_before_it_is_read(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = Path(VGG19_Weights.IMAGENET1K_V1.url).name
    torch.save(LAYOUTS["full"], cache / name)
    with pytest.raises(WeightsError, match=f"delete .*{name} and run again"):
        imagenet_weights("vgg19")
    digest = hashlib.sha256((cache / name).read_bytes()).hexdigest()
    monkeypatch.setattr(
        "ganstyle.nn.vgg_files.file_digest",
        lambda *_: type("Digest", (), {"hexdigest": lambda _: f"dcbb9e9d{digest}"})(),
    )
    assert len(imagenet_weights("vgg19").convolutions) == 16


def test_embedded_weights_that_are_missing_are_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganstyle.nn.vgg_files.EMBEDDED", tmp_path / "features.safetensors")
    with pytest.raises(WeightsError, match="missing from the package"):
        perceptual()


def test_embedded_weights_are_small_and_have_a_card() -> None:
    assert EMBEDDED.stat().st_size <= 1.5e6
    assert (EMBEDDED.parent / "card.json").is_file()


def correlation(prediction: Tensor, target: Tensor) -> float:
    return torch.corrcoef(torch.stack([prediction.flatten(), target.flatten()]))[0, 1].item()


def test_public_files_see_alike_on_a_photograph(shared_data: Path | None) -> None:
    """The data page gives 0.97, 0.93 and 0.79 for the distilled network's maps to the real features."""
    if shared_data is None:
        pytest.skip("no real weights beside the checkout")
    folder = shared_data / "weights"
    photograph = images.to_tensor(images.read(sorted((shared_data / "kodak").glob("*.png"))[4])[:256, :384])[None]
    real = perceptual(path=str(folder / "vgg19_normalised_relu3_1.safetensors"))
    shown = real(photograph, real.layers)
    for layer, activation in shown.items():
        assert activation.mean() == pytest.approx(1, abs=0.5), layer
    distilled = weights_from_file(str(folder / "vgg19_slim16x_encoder_relu4_1.safetensors"), "vgg19")
    seen = perceptual(path=str(folder / "vgg19_slim16x_encoder_relu4_1.safetensors"))(photograph, list(distilled.heads))
    for layer, least in {"relu1_1": 0.95, "relu2_1": 0.85, "relu3_1": 0.72}.items():
        weight, bias = distilled.heads[layer]
        assert correlation(torch.conv2d(seen[layer], weight, bias), shown[layer]) > least
