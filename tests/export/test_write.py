"""Exported files paint what their artifacts paint, at any size, or do not come to be."""

import json
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image as Pillow

from ganstyle import artifact
from ganstyle.artifact import Artifact
from ganstyle.backends.label import Label
from ganstyle.backends.model import Model
from ganstyle.backends.opened import opened
from ganstyle.backends.reports import passed_beside, report_path
from ganstyle.errors import ArtifactError
from ganstyle.export import cost, drafts, parity
from ganstyle.export.drafts import Draft
from ganstyle.export.errors import ExportError, ParityError
from ganstyle.export.graph import graph_of
from ganstyle.export.portable import portable, traceable
from ganstyle.export.write import FORMATS, computing, default_output, export
from ganstyle.images import pad
from ganstyle.interop.microast import microast
from ganstyle.nn.authors import AuthorsResNet
from ganstyle.nn.light import Light
from ganstyle.nn.microast import MicroAST
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.transform_net import FastStyle, TransformNet
from ganstyle.nn.unet import UNet

NETWORKS = {
    "light": lambda: Light(blocks=1, channels=8, color_skip=True, image_skip=True, soft_color=True),
    "light with styles": lambda: Light(blocks=1, channels=8, styles=3),
    "resnet": lambda: ResNet(blocks=1, channels=8),
    "resnet, pixel shuffle": lambda: ResNet(blocks=1, channels=4, upsampling="pixel_shuffle", norm="none"),
    "unet": lambda: UNet(depth=3, channels=4, dropout_at_test=False),
    "unet, resized": lambda: UNet(depth=3, channels=4, dropout=0.0, upsampling="nearest", padding="reflect"),
    "cut's resnet": lambda: AuthorsResNet(blocks=1, channels=4, blurred_down=True, blurred_up=True),
    "cyclegan's resnet": lambda: AuthorsResNet(blocks=1, channels=4, norm="batch", statistics_at_test="running"),
    "fast_neural_style": lambda: TransformNet(blocks=1, channels=4),
    "fast_style": FastStyle,
    "microast": lambda: microast(MicroAST().state_dict(), torch.rand(1, 3, 64, 64) * 2 - 1)[0],
}


@pytest.fixture(autouse=True)
def _small_and_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge on small pictures, and measure no memory in other processes."""
    monkeypatch.setattr(parity, "LEAST", 64)
    monkeypatch.setattr(cost, "TIMED", 64)
    monkeypatch.setattr(cost, "bytes_per_pixel", lambda path, source: 500.0)


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("light")
    torch.manual_seed(0)
    artifact.save(alive(Light(blocks=1, channels=8)), folder / "model", styles=("ink",))
    return artifact.load(folder / "model")


@pytest.fixture(scope="module")
def _traced(light: Artifact) -> "onnx.ModelProto":
    return graph_of(light.network)


@pytest.fixture
def graph(_traced: "onnx.ModelProto") -> "onnx.ModelProto":
    return deepcopy(_traced)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    artifact.save(alive(Light(blocks=1, channels=8)), tmp_path / "models" / "light", styles=("ink",))
    return tmp_path / "models" / "light"


def alive(network: torch.nn.Module, noise: float = 0.1) -> torch.nn.Module:
    """Give a fresh network weights that paint something."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(noise * torch.randn_like(weight))
    return network.eval()


def whole(kind: str, tmp_path: Path) -> Artifact:
    artifact.save(alive(NETWORKS[kind]()), tmp_path / "model")
    return artifact.load(tmp_path / "model")


@pytest.mark.parametrize(
    "kind", ["unet", *(pytest.param(kind, marks=pytest.mark.slow) for kind in NETWORKS if kind != "unet")]
)
def test_every_network_is_the_same_in_onnxruntime_at_any_size_and_number(kind: str, tmp_path: Path) -> None:
    done = export(whole_folder(kind, tmp_path), tmp_path / "model.fp32.onnx", to="onnx")
    rows = done.report["sizes"]
    assert len({(row["batch"], row["height"], row["width"]) for row in rows}) >= 3
    assert any(row["height"] % 4 for row in rows)
    assert all(row["max"] <= 1e-4 and row["mean"] <= row["max"] for row in rows)


def whole_folder(kind: str, tmp_path: Path) -> Path:
    whole(kind, tmp_path)
    return tmp_path / "model"


@pytest.mark.slow
@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("to", ["openvino", "torch-export", "safetensors"])
def test_every_network_is_the_same_in_every_format(kind: str, to: str, tmp_path: Path) -> None:
    if to == "openvino":
        pytest.importorskip("openvino")
    output = tmp_path / f"model{FORMATS[to].suffix}"
    rows = export(whole_folder(kind, tmp_path), output, to=to).report["sizes"]
    assert all(row["max"] <= 1e-4 for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp16", "bf16"])
@pytest.mark.parametrize("to", sorted(FORMATS))
@pytest.mark.parametrize("kind", ["light", "resnet", "unet"])
def test_sixteen_bits_are_half_the_size_and_close(kind: str, to: str, precision: str, tmp_path: Path) -> None:
    if to == "openvino":
        pytest.importorskip("openvino")
    done = export(whole_folder(kind, tmp_path), tmp_path / f"short{FORMATS[to].suffix}", to=to, precision=precision)
    assert all(row["psnr"] >= parity.BOUNDS[precision].psnr for row in done.report["sizes"])
    assert all(row["max"] > 1e-6 for row in done.report["sizes"])


def test_sixteen_bit_weights_take_half_the_bytes(graph: "onnx.ModelProto") -> None:
    def weights() -> int:
        return sum(onnx.numpy_helper.to_array(tensor).nbytes for tensor in graph.graph.initializer if floats(tensor))

    def floats(tensor: "onnx.TensorProto") -> bool:
        return tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.BFLOAT16)

    long = weights()
    drafts.with_short_weights(graph, "bf16")
    assert weights() == long / 2


def test_a_graph_tells_nothing_of_the_machine_it_was_made_on(graph: "onnx.ModelProto") -> None:
    content = graph.SerializeToString()
    assert b".py" not in content
    assert str(Path(torch.__file__).parents[1]).encode() not in content


def test_kernels_that_depend_on_weights_alone_are_computed_once(light: Artifact, graph: "onnx.ModelProto") -> None:
    assert "Einsum" not in {node.op_type for node in graph.graph.node}
    image = torch.rand(1, 3, 32, 48) * 2 - 1
    assert torch.allclose(traceable(light.network)(image), light.network(image), atol=1e-6)


def test_a_file_is_all_that_is_needed_and_carries_its_card(
    light: Artifact, graph: "onnx.ModelProto", tmp_path: Path
) -> None:
    drafts.onnx_draft(graph).write(tmp_path / "alone.onnx", Label(light.card, "fp32", 500.0))
    model = opened(tmp_path / "alone.onnx")
    assert isinstance(model, Model)
    assert model.card == light.card
    assert model.memory(10, 33) == 500 * 32 * 64
    image = np.random.default_rng(0).uniform(-1, 1, (3, 33, 50)).astype(np.float32)
    with torch.inference_mode():
        wanted = light.network(pad(torch.from_numpy(image)[None], 4))[0, :, :33, :50].numpy()
    assert np.abs(model.restyle(image) - wanted).max() < 1e-5


def test_the_report_beside_a_file_says_what_was_compared(folder: Path, tmp_path: Path) -> None:
    done = export(folder, tmp_path / "out.safetensors", to="safetensors")
    told = json.loads(report_path(done.path).read_text())
    assert told == json.loads(json.dumps(done.report))
    assert told["passed"] is True
    assert told["bound"] == {"max": 1e-4, "psnr": None}
    assert told["sizes"][0]["max"] == 0


def test_differences_are_measured_as_they_are(tmp_path: Path) -> None:
    found = whole("light", tmp_path)

    def shifted(images: np.ndarray, mixtures: np.ndarray | None) -> np.ndarray:
        picture = found.network(torch.from_numpy(images)).numpy()
        picture[:, :, :, 0] += 0.5
        return picture

    rows = parity.compared(found, shifted)
    for row in rows:
        assert row.largest == pytest.approx(0.5, abs=1e-6)
        assert row.mean == pytest.approx(0.5 / row.width, rel=1e-4)
        assert row.psnr == pytest.approx(10 * np.log10(4 / (0.25 / row.width)), abs=1e-3)


def test_an_export_that_paints_other_pictures_leaves_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(source: Artifact, precision: str) -> Draft:
        with torch.no_grad():
            list(source.network.parameters())[-1].add_(0.01)
        draft = drafts.safetensors(source, precision)
        with torch.no_grad():
            list(source.network.parameters())[-1].sub_(0.01)
        return draft

    monkeypatch.setitem(FORMATS, "safetensors", FORMATS["safetensors"]._replace(draft=wrong))
    (tmp_path / "out").mkdir()
    with pytest.raises(ParityError, match=r"out\.safetensors was not written: it is off by up to"):
        export(folder, tmp_path / "out" / "out.safetensors", to="safetensors")
    assert list((tmp_path / "out").iterdir()) == []


def test_exports_beside_an_artifact_are_found_only_if_they_are_of_it_and_passed(folder: Path) -> None:
    output = default_output(folder, "safetensors", "fp32")
    export(folder, output, to="safetensors")
    card = artifact.read_card(folder)
    assert [found.path for found in passed_beside(folder, card)] == [output]
    artifact.save(alive(Light(blocks=1, channels=8)), folder)
    assert passed_beside(folder, artifact.read_card(folder)) == []
    assert len(passed_beside(folder, card)) == 1
    report = json.loads(report_path(output).read_text())
    report_path(output).write_text(json.dumps(report | {"passed": False}))
    assert passed_beside(folder, card) == []
    report_path(output).write_text(json.dumps(report))
    output.write_bytes(output.read_bytes() + b" ")
    assert passed_beside(folder, card) == []


def test_a_network_that_draws_is_refused_or_exported_without(tmp_path: Path) -> None:
    artifact.save(alive(UNet(depth=6, channels=2)), tmp_path / "unet")
    with pytest.raises(ExportError, match="--no-noise"):
        export(tmp_path / "unet", tmp_path / "unet.onnx", to="onnx")
    still = portable(artifact.load(tmp_path / "unet"), noise=False)
    image = torch.rand(1, 3, 64, 64)
    assert torch.equal(still.network(image), still.network(image))
    assert still.card.arguments["dropout_at_test"] is False


def test_a_file_without_a_card_is_refused(graph: "onnx.ModelProto", tmp_path: Path) -> None:
    onnx.save(graph, tmp_path / "bare.onnx")
    with pytest.raises(ArtifactError, match="carries no card"):
        opened(tmp_path / "bare.onnx")


@pytest.mark.parametrize("suffix", [".onnx", ".pt2", ".safetensors"])
def test_a_damaged_file_is_refused_in_one_sentence(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ArtifactError) as told:
        opened(path)
    assert "\n" not in str(told.value)
    assert "bad" in str(told.value)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"to": "onyx"}, "did you mean 'onnx'"),
        ({"to": "onnx", "precision": "fp23"}, "did you mean 'fp32'"),
        ({"to": "onnx", "precision": "int8"}, "give a folder of them as --calibrate"),
        ({"to": "safetensors", "precision": "int8"}, "there is no int8 for safetensors"),
        ({"to": "openvino"}, "end in .xml"),
    ],
)
def test_what_does_not_fit_is_told(words: dict[str, str], says: str, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=says):
        export(folder, tmp_path / "out.onnx", **words)


def photographs(folder: Path, count: int) -> Path:
    folder.mkdir()
    for n in range(count):
        rows, columns = np.mgrid[:80, :96] / 80
        waves = [np.sin((3 + n + c) * rows + (2 + c) * columns * (1 + n % 3)) for c in range(3)]
        Pillow.fromarray(((np.dstack(waves) + 1) * 127).astype(np.uint8)).save(folder / f"{n:02}.png")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("to", ["onnx", "openvino"])
def test_eight_bits_come_close_with_as_many_layers_as_that_allows(to: str, tmp_path: Path) -> None:
    if to == "openvino":
        pytest.importorskip("nncf")
    folder, pictures = tmp_path / "model", photographs(tmp_path / "photographs", 8)
    artifact.save(alive(Light(blocks=1, channels=8), 0.02), folder)
    output = tmp_path / f"small{FORMATS[to].suffix}"
    done = export(folder, output, to=to, precision="int8", calibrate=pictures)
    assert not any("onnxruntime" in entry for entry in sys.path)  # its modules would hide others' of the same name
    assert min(row["psnr"] for row in done.report["sizes"]) >= 40
    assert done.report["layers"]["int8"] > 0
    picture = computing(output)(np.zeros((1, 3, 40, 44), np.float32), None)
    assert picture.shape == (1, 3, 40, 44)


def test_too_few_pictures_to_calibrate_on_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="holds 3 pictures"):
        export(folder, tmp_path / "a.onnx", to="onnx", calibrate=photographs(tmp_path / "few", 3))
