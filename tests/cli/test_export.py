"""`ganstyle export`, and `ganstyle stylize` with what it wrote."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import ganstyle
from ganstyle import artifact
from ganstyle.backends import onnxruntime, pace
from ganstyle.backends.likeness import Bound
from ganstyle.backends.model import Compute, Images, Mixtures, Model
from ganstyle.backends.opened import opened
from ganstyle.backends.reports import report_path, sha256_of
from ganstyle.cli import main
from ganstyle.export import cost, parity
from ganstyle.export.write import FORMATS
from ganstyle.nn.light import Light
from ganstyle.stylize import choose, recipe
from ganstyle.stylize.photograph import read


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with its export beside it, and a photograph of odd sides."""
    folder = tmp_path_factory.mktemp("export")
    torch.manual_seed(1)
    network = Light(blocks=1, channels=8)
    with torch.no_grad():
        network.decoder[2].weight.mul_(30)
    artifact.save(network, folder / "model", styles=("ink",))
    pixels = np.random.default_rng(0).integers(0, 256, (61, 83, 3), dtype=np.uint8)
    Pillow.fromarray(pixels).save(folder / "photo.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parity, "LEAST", 64)
        patch.setattr(cost, "TIMED", 64)
        assert called("export", folder / "model", "--to", "onnx") == 0
    return folder


def called(*words: object) -> int:
    return main([str(word) for word in words])


def shown(path: Path) -> np.ndarray:
    return np.asarray(Pillow.open(path)).astype(int)


def stylized(place: Path, output: Path, *words: object) -> int:
    return called("stylize", place / "photo.png", "--model", place / "model", "--output", output, *words)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have exports judged on small pictures, and no memory measured in other processes."""
    monkeypatch.setattr(parity, "LEAST", 64)
    monkeypatch.setattr(cost, "TIMED", 64)
    monkeypatch.setattr(cost, "bytes_per_pixel", lambda path, source: 500.0)


def hasten(place: Path, gain: float) -> None:
    """Have the report say how many times as fast as PyTorch the export is."""
    path = report_path(place / "model.fp32.onnx")
    report = json.loads(path.read_text())
    report["speed"] |= {"milliseconds": 1.0, "torch_milliseconds": gain}
    path.write_text(json.dumps(report))


@pytest.mark.parametrize(
    "to", ["onnx", "safetensors", *(pytest.param(to, marks=pytest.mark.slow) for to in ("openvino", "torch-export"))]
)
def test_an_exported_file_alone_paints_what_its_artifact_paints(
    to: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if to == "openvino":
        pytest.importorskip("openvino")
    hurry(monkeypatch)
    alone = tmp_path / "elsewhere" / f"ink{FORMATS[to].suffix}"
    assert called("export", place / "model", "--to", to, "--output", alone) == 0
    report_path(alone).unlink()
    assert {path.stem for path in alone.parent.iterdir()} == {"ink"}
    monkeypatch.chdir(alone.parent)
    assert called("stylize", place / "photo.png", "--model", alone.name, "--output", tmp_path / "a.png") == 0
    assert stylized(place, tmp_path / "b.png", "--backend", "torch") == 0
    assert np.abs(shown(tmp_path / "a.png") - shown(tmp_path / "b.png")).max() <= 1
    assert shown(tmp_path / "a.png").shape == (61, 83, 3)
    assert np.abs(shown(tmp_path / "a.png") - shown(place / "photo.png")).max() > 20
    weights = {"weights_sha256": sha256_of(alone)} if to == "safetensors" else {}
    assert opened(alone).card == replace(artifact.read_card(place / "model"), **weights)


def test_measured_memory_is_of_a_likely_size(place: Path) -> None:
    report = json.loads(report_path(place / "model.fp32.onnx").read_text())
    assert 12 < report["bytes_per_pixel"] < 5000


@pytest.mark.parametrize("words", [(), ("--strength", 0)])
def test_the_way_without_torch_writes_the_same_bytes_as_the_way_with_it(
    words: tuple[object, ...], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stylized(place, tmp_path / "a.png", "--backend", "onnxruntime", *words) == 0
    monkeypatch.setattr("ganstyle.stylize.files.is_direct", lambda controls: False)
    assert stylized(place, tmp_path / "b.png", "--backend", "onnxruntime", *words) == 0
    assert (shown(tmp_path / "a.png") == shown(tmp_path / "b.png")).all()


def test_torch_is_not_imported_for_an_exported_file(place: Path, tmp_path: Path) -> None:
    photo, model = place / "photo.png", place / "model.fp32.onnx"
    assert without_torch("stylize", photo, "--model", model, "--output", tmp_path / "out.png") == 0


def test_openvino_paints_the_same_is_made_again_and_needs_no_torch(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    hurry(monkeypatch)
    shutil.copytree(place / "model", tmp_path / "model")
    assert called("export", tmp_path / "model", "--to", "openvino") == 0
    words = ["stylize", place / "photo.png", "--model", tmp_path / "model", "--backend", "openvino", "--output"]
    assert without_torch(*words, tmp_path / "a.png") == 0
    assert stylized(place, tmp_path / "b.png", "--backend", "torch") == 0
    assert np.abs(shown(tmp_path / "a.png") - shown(tmp_path / "b.png")).max() <= 1
    assert json.loads(read(tmp_path / "a.png").recipe or "")["backend"] == "openvino"
    capsys.readouterr()
    assert called("redo", tmp_path / "a.png", "--input", place / "photo.png") == 0
    assert "the same" in capsys.readouterr().out


def without_torch(*words: object) -> int:
    """Call `ganstyle` in a process of its own; 9 if that has imported PyTorch."""
    script = (
        "import sys; from ganstyle.cli import main; code = main(sys.argv[1:]); "
        "sys.exit(code or ('torch' in sys.modules and 9))"
    )
    return subprocess.run([sys.executable, "-c", script, *map(str, words)], check=False).returncode


def test_controls_and_masks_work_on_an_exported_model(place: Path, tmp_path: Path) -> None:
    Pillow.linear_gradient("L").resize((83, 61)).save(tmp_path / "mask.png")
    controls = ("--strength", 0.7, "--keep-color", "luminance", "--mask", tmp_path / "mask.png", "--size", 1.5)
    assert stylized(place, tmp_path / "a.png", "--backend", "onnxruntime", *controls) == 0
    assert stylized(place, tmp_path / "b.png", "--backend", "torch", *controls) == 0
    assert np.abs(shown(tmp_path / "a.png") - shown(tmp_path / "b.png")).max() <= 1


def test_an_export_never_replaces_a_part_of_its_artifact(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = shutil.copytree(place / "model", tmp_path / "model")
    weights = (own / "weights.safetensors").read_bytes()
    for form in ("safetensors", "pytorch-cyclegan"):
        assert main(["export", str(own), "--to", form, "--output", str(own / "weights.safetensors"), "--force"]) == 2
        assert "weights.safetensors itself; give another --output." in capsys.readouterr().err
    assert (own / "weights.safetensors").read_bytes() == weights


def test_auto_takes_the_fastest_that_passed(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hasten(place, 3.0)
    assert backend_of(place, tmp_path / "a.png") == "onnxruntime"
    hasten(place, 0.5)
    assert backend_of(place, tmp_path / "b.png") == "torch"


def test_a_gain_measured_on_another_processor_is_measured_again_once(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    hasten(place, 3.0)
    monkeypatch.setattr(pace, "processor", lambda: "Another 9000")
    real, asked = pace.least_milliseconds, []

    def slow(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
        asked.append(real(ways))
        return {"ours": 1.0, "theirs": 2.0}

    monkeypatch.setattr(choose, "least_milliseconds", slow)
    assert backend_of(place, tmp_path / "a.png") == "torch"
    assert "judging it here, once" in capsys.readouterr().err
    assert backend_of(place, tmp_path / "b.png") == "torch"
    assert capsys.readouterr().err == ""
    assert [sorted(times) for times in asked] == [["ours", "theirs"]]
    (figure,) = (tmp_path / "cache" / "ganstyle" / "paces").iterdir()
    figure.write_text("3.0")
    assert backend_of(place, tmp_path / "c.png") == "onnxruntime"


def judged_by_another_version(place: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The artifact with an export that onnxruntime 1.0 found fast, on a machine that has judged none so far."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    elsewhere = shutil.copytree(place, folder / "elsewhere")
    hasten(elsewhere, 3.0)
    path = report_path(elsewhere / "model.fp32.onnx")
    report = json.loads(path.read_text())
    path.write_text(json.dumps(report | {"versions": report["versions"] | {"onnxruntime": "1.0"}}))
    return elsewhere


def test_an_export_that_this_version_of_its_program_cannot_run_is_not_used(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = judged_by_another_version(place, tmp_path, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr("onnxruntime.InferenceSession", Mock(side_effect=RuntimeError("the model's IR is too new")))
        assert backend_of(elsewhere, tmp_path / "a.png") == "torch"
    said = capsys.readouterr().err
    assert "model.fp32.onnx cannot be run by onnxruntime (the model's IR is too new)." in said
    assert said.strip().endswith("model.fp32.onnx is not used.")
    assert not (tmp_path / "cache").exists()


def test_an_export_that_another_version_of_its_program_runs_otherwise_is_not_used(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = judged_by_another_version(place, tmp_path, monkeypatch)
    real = onnxruntime.compute_of

    def off(session: object) -> Compute:
        def compute(images: Images, mixtures: Mixtures | None) -> Images:
            return real(session)(images, mixtures) + np.float32(2e-4)

        return compute

    with monkeypatch.context() as patch:
        patch.setattr(onnxruntime, "compute_of", off)
        assert backend_of(elsewhere, tmp_path / "a.png") == "torch"
    assert "model.fp32.onnx does not paint here what" in capsys.readouterr().err
    assert backend_of(elsewhere, tmp_path / "b.png") == "torch"
    assert capsys.readouterr().err == ""
    (figure,) = (tmp_path / "cache" / "ganstyle" / "paces").iterdir()
    assert float(figure.read_text()) == 0


def backend_of(place: Path, output: Path) -> str:
    assert stylized(place, output) == 0
    return str(json.loads(read(output).recipe or "")["backend"])


def test_a_picture_that_is_too_large_goes_to_strips_or_is_told(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hasten(place, 3.0)
    assert stylized(place, tmp_path / "a.png", "--max-memory", "600KB") == 0
    assert "PyTorch paints it in strips" in capsys.readouterr().err
    assert stylized(place, tmp_path / "b.png", "--backend", "torch") == 0
    assert np.abs(shown(tmp_path / "a.png") - shown(tmp_path / "b.png")).max() <= 1
    assert stylized(place, tmp_path / "c.png", "--backend", "onnxruntime", "--max-memory", "600KB") == 2
    assert "83 x 61 pixels take about" in capsys.readouterr().err
    for n, small in enumerate((("--size", 4), ("--strength", 0))):
        words = ("--backend", "onnxruntime", "--max-memory", "600KB", *small)
        assert stylized(place, tmp_path / f"small_{n}.png", *words) == 0


def test_a_picture_that_a_small_brush_makes_too_large_goes_to_strips(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hasten(place, 3.0)
    model = opened(place / "model.fp32.onnx")
    assert isinstance(model, Model)
    words = ("--size", 0.25, "--max-memory", f"{model.memory(2 * 61, 2 * 83):.0f}B")
    assert stylized(place, tmp_path / "a.png", *words) == 0
    assert "PyTorch paints it in strips" in capsys.readouterr().err
    assert stylized(place, tmp_path / "b.png", "--size", 0.25, "--backend", "torch") == 0
    assert np.abs(shown(tmp_path / "a.png") - shown(tmp_path / "b.png")).max() <= 1


def test_an_exports_other_files_are_not_replaced_either(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.bin").write_text("my data")
    assert called("export", place / "model", "--to", "openvino", "--output", tmp_path / "mine.xml") == 2
    assert "mine.bin exists; add --force" in capsys.readouterr().err
    assert (tmp_path / "mine.bin").read_text() == "my data"


def test_a_place_where_nothing_can_be_written_is_told(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    (tmp_path / "file").touch()
    output = tmp_path / "file" / "x.safetensors"
    assert called("export", place / "model", "--to", "safetensors", "--output", output) == 2
    assert f"{output} cannot be written: " in capsys.readouterr().err
    assert stylized(place, tmp_path / "file" / "x.png") == 2
    assert f"cannot write {tmp_path / 'file' / 'x.png'}: " in capsys.readouterr().err
    assert stylized(place, tmp_path / f"{'x' * 250}.png") == 0
    capsys.readouterr()
    with open("/dev/full", "w") as full, monkeypatch.context() as patch:  # noqa: PTH123
        patch.setattr(sys, "stdout", full)
        assert stylized(place, Path("-")) == 2
    assert "cannot write to standard output: No space left on device" in capsys.readouterr().err


def test_a_pace_that_cannot_be_kept_is_measured_on_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert [pace.cached("0", "onnxruntime", gains.pop) for gains in ([1.5], [2.5])] == [1.5, 2.5]


def test_a_picture_of_an_export_is_made_again(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stylized(place, tmp_path / "out.png", "--backend", "onnxruntime") == 0
    assert called("redo", tmp_path / "out.png", "--input", place / "photo.png") == 0
    assert "the same" in capsys.readouterr().out


def test_a_picture_of_an_export_on_another_processor_is_told_so(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(recipe, "processor", lambda: "Another 9000")
        assert stylized(place, tmp_path / "out.png", "--backend", "onnxruntime") == 0
    assert called("redo", tmp_path / "out.png", "--input", place / "photo.png") == 1
    assert f"(processor Another 9000, here {pace.processor()})" in capsys.readouterr().err


def test_what_does_not_fit_is_told_in_one_sentence(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = place / "model"
    mistakes = {
        "exists; add --force": ("export", model, "--to", "onnx"),
        "did you mean 'onnxruntime'": ("--backend", "onnxruntim"),
        "makes one": ("--backend", "openvino"),
    }
    for says, words in mistakes.items():
        code = called(*words) if words[0] == "export" else stylized(place, tmp_path / "x.png", *words)
        told = capsys.readouterr().err
        assert code == 2
        assert says in told or "openvino is not installed" in told
    file = place / "model.fp32.onnx"
    words = ("stylize", place / "photo.png", "--model", file, "--backend", "torch", "--output", tmp_path / "x.png")
    assert called(*words) == 2
    assert "is run by onnxruntime, not by torch" in capsys.readouterr().err


def test_an_export_beyond_its_bound_ends_with_1_and_no_file(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "LEAST", 64)
    monkeypatch.setitem(parity.BOUNDS, "bf16", Bound(psnr=500))
    output = tmp_path / "folder" / "out.safetensors"
    words = ("export", place / "model", "--to", "safetensors", "--precision", "bf16", "--output", output)
    assert called(*words) == 1
    assert "was not written" in capsys.readouterr().err
    assert list(output.parent.iterdir()) == []


def test_python_loads_an_exported_file_like_an_artifact(place: Path) -> None:
    photo = Pillow.open(place / "photo.png")
    exported = ganstyle.load(place / "model.fp32.onnx").stylize(photo, strength=0.5)
    own = ganstyle.load(place / "model").stylize(photo, strength=0.5)
    assert np.abs(np.asarray(exported).astype(int) - np.asarray(own).astype(int)).max() <= 1


def test_sixteen_bit_pictures_go_the_same_two_ways(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ganstyle.backends.opened import opened
    from ganstyle.stylize.controls import Controls
    from ganstyle.stylize.direct import pixels_directly
    from ganstyle.stylize.paint import brush_of, pixels_painted

    model = opened(place / "model.fp32.onnx")
    pixels = np.random.default_rng(1).integers(0, 65536, (40, 52, 3), dtype=np.uint16)
    brush = brush_of(model, Controls(), 10**9)
    assert (pixels_directly(model, pixels, None, None) == pixels_painted(brush, pixels)).all()
