from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from benchmarks.peers import __main__ as peers
from ganstyle import images
from ganstyle.cli.sets import Wanted, find
from ganstyle.errors import GanstyleError
from ganstyle.interop.fast_style import fast_style
from ganstyle.interop.microast import arbitrary
from ganstyle.interop.reading import read_tensors
from ganstyle.nn.microast import MicroAST
from ganstyle.nn.transform_net import FastStyle

PUBLISHED = {
    "fast_style_scream_fp16": lambda tensors: fast_style(tensors)[0],
    "fast_style_wave_fp16": lambda tensors: fast_style(tensors)[0],
    "microast": arbitrary,
}


def published(network: FastStyle) -> dict[str, torch.Tensor]:
    """Random tensors under the published names of a fast_style network, kernels as TensorFlow has them."""
    parameters = [p.detach() for p in network.turns()]
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


def test_results_have_the_names_and_sizes_of_the_photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save_file(published(FastStyle()), tmp_path / "w.safetensors")
    photographs = folder_of({"a.png": (37, 41), "b.jpg": (40, 32)}, tmp_path / "photographs")
    words = ("--weights", tmp_path / "w.safetensors", "--photographs", photographs, "--output", tmp_path / "out")
    run(monkeypatch, "fast_style", *words)
    assert images.dimensions(tmp_path / "out" / "a.png") == (37, 41)
    assert images.dimensions(tmp_path / "out" / "b.png") == (40, 32)
    assert (tmp_path / "out" / "peers.json").exists()


def test_a_limit_takes_the_photographs_that_an_evaluation_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save_file(published(FastStyle()), tmp_path / "w.safetensors")
    photographs = folder_of({f"{n}.png": (32, 32) for n in range(7)}, tmp_path / "photographs")
    words = ("--weights", tmp_path / "w.safetensors", "--photographs", photographs, "--output", tmp_path / "out")
    run(monkeypatch, "fast_style", *words, "--limit", 3)
    expected = find(Wanted(str(photographs), reference=photographs, size=32, limit=3)).sources.stems
    assert sorted(path.stem for path in (tmp_path / "out").glob("*.png")) == sorted(expected) == ["0", "2", "4"]


def test_the_painting_for_a_photograph_depends_on_its_name_alone(tmp_path: Path):
    paintings = sorted(folder_of({f"{n}.png": (8, 8 + n) for n in range(5)}, tmp_path / "paintings").iterdir())
    drawn = [peers.style_for(Path(folder) / f"{n}.png", paintings, 0).shape for n in range(9) for folder in "ab"]
    assert drawn[::2] == drawn[1::2]
    assert len(set(drawn)) > 1


def test_microast_without_paintings_asks_for_them(tmp_path: Path):
    save_file(MicroAST().state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(GanstyleError, match="give --styles a folder"):
        peers.peer("microast", tmp_path / "w.safetensors", [], 0)


def test_a_missing_weights_file_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    photographs = folder_of({"a.png": (8, 8)}, tmp_path / "photographs")
    words = ("--weights", tmp_path / "none.safetensors", "--photographs", photographs, "--output", tmp_path / "out")
    with pytest.raises(SystemExit, match="there is no file"):
        run(monkeypatch, "fast_style", *words)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_network_keeps_what_a_photograph_shows(name: str, shared_data: Path | None):
    if shared_data is None:
        pytest.skip("needs real pictures and weights beside the checkout")
    network = PUBLISHED[name](read_tensors(shared_data / "weights" / f"{name}.safetensors"))
    photograph = images.to_tensor(images.resize(images.read(shared_data / "kodak" / "03.png"), 128, 192))[None]
    with torch.no_grad():
        result = network(photograph, photograph.flip(3)) if name == "microast" else network(photograph)
    seen, kept = (F.avg_pool2d(x.mean(1, keepdim=True), 4).flatten() for x in (photograph, result))
    assert torch.corrcoef(torch.stack([seen, kept]))[0, 1] > 0.6
    assert (result - photograph).abs().mean() > 0.05
