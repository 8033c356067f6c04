from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from benchmarks.peers import __main__ as peers
from benchmarks.peers import fast_style, microast
from ganstyle import images
from ganstyle.errors import GanstyleError, WeightsError

PUBLISHED = {
    "fast_style_scream_fp16": fast_style.load,
    "fast_style_wave_fp16": fast_style.load,
    "microast": microast.load,
}


def published(network: nn.Module) -> dict[str, torch.Tensor]:
    """Random tensors under the published names of a fast_style network, kernels as TensorFlow has them."""
    parameters = [p.detach() for p in fast_style._parameters(network)]
    for parameter in parameters:
        parameter.normal_(std=0.1)
    return {f"var{n}": (p.permute(2, 3, 1, 0) if p.ndim == 4 else p).contiguous() for n, p in enumerate(parameters)}


def folder_of(pictures: dict[str, tuple[int, int]], folder: Path) -> Path:
    folder.mkdir()
    for name, (height, width) in pictures.items():
        images.write(np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8), folder / name)
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *words: Any) -> None:
    monkeypatch.setattr("sys.argv", ["peers", *map(str, words)])
    peers.main()


def test_a_fast_style_network_has_the_published_number_of_parameters():
    assert sum(p.numel() for p in fast_style.FastStyle().parameters()) == 1_677_638


def test_microast_has_the_published_number_of_parameters():
    assert sum(p.numel() for p in microast.MicroAST().parameters()) == 471_987


def test_same_padding_puts_the_odd_pixel_right_and_below():
    convolve = fast_style.Same(1, 1, 3, stride=2)
    convolve.weight.data[0, 0, 2, 2] = 1.0
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert convolve(image).tolist() == [[[[10.0, 0.0], [0.0, 0.0]]]]


@pytest.mark.parametrize(("side", "stride", "places"), [(8, 1, 8), (8, 2, 4), (7, 2, 4)])
def test_a_same_convolution_has_a_result_for_every_stride(side: int, stride: int, places: int):
    assert fast_style.Same(1, 1, 3, stride)(torch.zeros(1, 1, side, side)).shape == (1, 1, places, places)


def test_the_transposed_convolution_is_the_gradient_of_the_same_one():
    down, up = fast_style.Same(2, 3, 3, stride=2), fast_style.SameTransposed(3, 2)
    up.weight.data = down.weight.data = torch.randn(3, 2, 3, 3)
    large, small = torch.randn(1, 2, 6, 6, requires_grad=True), torch.randn(1, 3, 3, 3)
    (gradient,) = torch.autograd.grad((down(large) * small).sum(), large)
    torch.testing.assert_close(up(small), gradient)


def test_fast_style_tensors_are_read_in_tensorflow_order_and_come_back():
    tensors = published(fast_style.FastStyle())
    network = fast_style.load(tensors)
    first, last = network.layers[0], network.layers[-3]
    assert isinstance(first, fast_style.Same)
    assert isinstance(last, fast_style.Same)
    torch.testing.assert_close(first.weight[5, 2, 7, 1], tensors["var0"][7, 1, 2, 5])
    torch.testing.assert_close(last.weight[2, 30], tensors["var45"][:, :, 30, 2])


@pytest.mark.parametrize("load", [fast_style.load, microast.load])
def test_foreign_tensors_are_refused_in_one_sentence(load: Any):
    with pytest.raises(WeightsError, match="these 1 tensors are not the"):
        load({"var0": torch.zeros(3)})


def test_adain_gives_the_content_the_mean_and_deviation_of_the_style():
    content, style = torch.randn(1, 4, 20, 20), 3.0 + 2.0 * torch.randn(1, 4, 10, 12)
    result = microast.adain(content, style)
    torch.testing.assert_close(result.mean((2, 3)), style.mean((2, 3)), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(result.std((2, 3)), style.std((2, 3)), atol=1e-3, rtol=1e-3)


def test_a_modulation_by_one_and_zero_changes_nothing():
    block, x = microast.Residual(), torch.randn(1, 64, 5, 6)
    neutral = microast.Modulation(torch.ones(1, 64, 1, 1), torch.zeros(1, 64, 1, 1))
    torch.testing.assert_close(block(x, neutral), block(x))


def test_microast_takes_a_painting_of_another_size():
    network = microast.MicroAST().eval()
    result = network(torch.rand(1, 3, 32, 36) * 2 - 1, torch.rand(1, 3, 40, 24) * 2 - 1)
    assert result.shape == (1, 3, 32, 36)


def test_results_have_the_names_and_sizes_of_the_photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save_file(published(fast_style.FastStyle()), tmp_path / "w.safetensors")
    photographs = folder_of({"a.png": (37, 41), "b.jpg": (40, 32)}, tmp_path / "photographs")
    words = ("--weights", tmp_path / "w.safetensors", "--photographs", photographs, "--output", tmp_path / "out")
    run(monkeypatch, "fast_style", *words)
    assert images.dimensions(tmp_path / "out" / "a.png") == (37, 41)
    assert images.dimensions(tmp_path / "out" / "b.png") == (40, 32)
    assert (tmp_path / "out" / "peers.json").exists()


def test_the_painting_for_a_photograph_depends_on_its_name_alone(tmp_path: Path):
    paintings = sorted(folder_of({f"{n}.png": (8, 8 + n) for n in range(5)}, tmp_path / "paintings").iterdir())
    drawn = [peers.style_for(Path(folder) / f"{n}.png", paintings, 0).shape for n in range(9) for folder in "ab"]
    assert drawn[::2] == drawn[1::2]
    assert len(set(drawn)) > 1


def test_microast_without_paintings_asks_for_them(tmp_path: Path):
    save_file(microast.MicroAST().state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(GanstyleError, match="give --styles a folder"):
        peers.peer("microast", tmp_path / "w.safetensors", [], 0)


def test_a_missing_weights_file_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    photographs = folder_of({"a.png": (8, 8)}, tmp_path / "photographs")
    words = ("--weights", tmp_path / "none.safetensors", "--photographs", photographs, "--output", tmp_path / "out")
    with pytest.raises(SystemExit, match="cannot read"):
        run(monkeypatch, "fast_style", *words)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_network_keeps_what_a_photograph_shows(name: str, shared_data: Path | None):
    if shared_data is None:
        pytest.skip("needs ../shared")
    network = PUBLISHED[name](peers.read_weights(shared_data / "weights" / f"{name}.safetensors"))
    photograph = images.to_tensor(images.resize(images.read(shared_data / "kodak" / "03.png"), 128, 192))[None]
    with torch.no_grad():
        result = network(photograph, photograph.flip(3)) if name == "microast" else network(photograph)
    seen, kept = (F.avg_pool2d(x.mean(1, keepdim=True), 4).flatten() for x in (photograph, result))
    assert torch.corrcoef(torch.stack([seen, kept]))[0, 1] > 0.6
    assert (result - photograph).abs().mean() > 0.05
