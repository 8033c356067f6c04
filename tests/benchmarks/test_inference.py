"""The speed of inference as it is measured: who takes turns, what ratios mean, and which bars are kept."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from benchmarks import inference_speed
from benchmarks.inference import arms, bars, compiling, journeys, subjects
from benchmarks.inference.timing import interleaved, told
from ganstyle import artifact
from ganstyle.export import cost, parity
from ganstyle.nn.light import Light


def test_every_way_takes_its_turn_in_every_round_and_warm_up_is_not_counted() -> None:
    order: list[str] = []
    ticks = iter(range(100))
    ways = {name: lambda name=name: order.append(name) for name in "abc"}
    taken = interleaved(ways, 2, lambda: float(next(ticks)))
    assert order == ["a", "b", "c", "c", "b", "a", "a", "b", "c"]
    assert taken == {"a": [1, 1], "b": [1, 1], "c": [1, 1]}


def test_a_ratio_is_of_runs_in_the_same_round() -> None:
    """The machine was ten times as slow in the third round; nobody's ratio notices."""
    rows = told({"eager": [4.0, 4.0, 40.0], "fast": [2.0, 1.0, 10.0]}, "eager")
    assert rows["fast"]["times_as_fast"] == 4.0
    assert rows["fast"]["milliseconds"] == 2000
    assert rows["fast"]["least_milliseconds"] == 1000
    assert rows["eager"]["times_as_fast"] == 1.0


def rows(arm: str, **fast: float) -> list[dict[str, Any]]:
    return [{"network": name, "side": 256, "arm": arm, "times_as_fast": value} for name, value in fast.items()]


def verdicts(result: dict[str, Any]) -> dict[str, bool | None]:
    return {bar["bar"]: bar["met"] for bar in bars.judged(result)}


def test_median_and_worst_row_are_two_bars() -> None:
    found = verdicts({"rows": rows("openvino bf16", a=3.0, b=3.0, c=2.4) + rows("onnxruntime", a=1.3, b=1.5, c=1.4)})
    assert found["OpenVINO bf16, times as fast as eager, median of the rows"] is True
    assert found["OpenVINO bf16, times as fast as eager, worst row"] is False
    assert found["onnxruntime, times as fast as eager, median of the rows"] is True
    assert found["light generator in int8 at 512 x 512, times as fast as the eager ResNet-9"] is None


def test_int8_counts_only_for_trained_networks_that_passed() -> None:
    reports = [
        {"network": "a", "arm": "openvino int8", "passed": True, "trained": True},
        {"network": "b", "arm": "openvino int8", "passed": True, "trained": False},
        {"network": "c", "arm": "openvino int8", "passed": False, "trained": True},
    ]
    bar = "OpenVINO int8 of a trained network within 40 dB, times as fast as eager, median of its rows"
    assert verdicts({"rows": rows("openvino int8", a=4.0, b=9.0, c=9.0), "parity": reports})[bar] is False
    assert verdicts({"rows": rows("openvino int8", b=9.0, c=9.0), "parity": reports})[bar] is None


@pytest.mark.parametrize(("taken", "met"), [("openvino bf16", True), ("onnxruntime", False)])
def test_auto_is_held_to_the_fastest_that_passed(taken: str, met: bool) -> None:
    arms = {"onnxruntime": 1.5, "openvino bf16": 3.0, "openvino int8": 6.0}
    reports = [{"network": "a", "arm": arm, "passed": arm != "openvino int8", "trained": True} for arm in arms]
    result = {
        "rows": [row for arm, fast in arms.items() for row in rows(arm, a=fast)],
        "parity": reports,
        "auto": {"a": taken},
    }
    bar = "what `auto` takes, share of the pace of the fastest that passed parity, worst network"
    assert verdicts(result)[bar] is met


@pytest.mark.parametrize(("torch_too", "met"), [(False, True), (True, None)])
def test_a_start_that_imports_torch_is_none(torch_too: bool, met: bool | None) -> None:
    exported = {"arm": "onnxruntime", "wall": 1.4, "imports_torch": torch_too}
    slow = {"arm": "PyTorch", "wall": 9.0, "imports_torch": True}
    found = verdicts({"starts": [exported, slow]})
    assert found["cold start of an exported light generator, seconds, worst file"] is met


def test_given_weights_take_the_place_of_drawn_ones_and_of_their_exports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subjects, "DRAWN", {"small": lambda: Light(blocks=1, channels=4)})
    work, trained = tmp_path / "work", tmp_path / "trained"
    artifact.save(Light(blocks=1, channels=8), trained)
    assert [subject.trained for subject in subjects.subjects(work, {})] == [False]
    exports = [work / "small.fp32.onnx", work / "unjudged" / "small.int8.xml"]
    for export in exports:
        export.parent.mkdir(exist_ok=True)
        export.touch()
    subjects.subjects(work, {})
    assert all(export.exists() for export in exports)
    assert [subject.trained for subject in subjects.subjects(work, {"small": trained})] == [True]
    assert not any(export.exists() for export in exports)
    exports[0].touch()
    assert [subject.trained for subject in subjects.subjects(work, {"small": trained})] == [True]
    assert exports[0].exists()
    assert [subject.trained for subject in subjects.subjects(work, {})] == [True], "it was given before"


@pytest.mark.parametrize(("name", "error", "near"), [("compiled", 1e-3, False), ("compiled bf16", 1e-3, True)])
def test_a_way_of_pytorch_counts_only_if_it_paints_alike(name: str, error: float, near: bool) -> None:
    wanted = np.zeros((1, 3, 8, 8), np.float32)
    assert arms.alike(name, wanted, wanted)
    assert arms.alike(name, wanted + np.float32(error), wanted) is near
    assert not arms.alike(name, wanted + np.float32(0.08), wanted)


def test_compiling_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "LIMIT", 0.01)
    assert compiling.seconds(tmp_path, "compiled", 64) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", arms.COMPILED)
def test_a_compiled_network_paints_alike(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    artifact.save(Light(blocks=1, channels=8), tmp_path / "small")
    subject = subjects.Subject("small", tmp_path / "small", trained=False)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 32, 32)).astype(np.float32)
    assert arms.alike(name, arms.pytorch_way(subject, name)(image), arms.pytorch_way(subject, "eager")(image))


OLDER = (("light", 128), ("light before", 256), ("gone", 64))
"""Rows of a results file: of the same weights, of those that were there before, and of a network that is gone."""


@pytest.mark.slow
def test_parts_leave_their_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    for n in range(5):
        pixels = np.random.default_rng(n).integers(0, 256, (80, 96, 3), dtype=np.uint8)
        Pillow.fromarray(pixels).save(photographs / f"{n}.png")
    artifact.save(Light(blocks=1, channels=8), tmp_path / "small")
    monkeypatch.setattr(subjects, "DRAWN", {})
    monkeypatch.setattr(subjects, "EXPORTS", {"onnxruntime": ("onnx", "fp32")})
    monkeypatch.setattr(journeys, "SIDE", 64)
    monkeypatch.setattr(inference_speed.Session, "_folder_arms", lambda session, subject: ["onnxruntime"])
    for module, name, value in [
        (parity, "LEAST", 64),
        (cost, "TIMED", 64),
        (inference_speed, "ROUNDS", {64: 1}),
        (inference_speed, "STARTS", 1),
        (inference_speed, "FOLDER_ROUNDS", 1),
    ]:
        monkeypatch.setattr(module, name, value)
    output = tmp_path / "speed.json"
    words = ["--photographs", photographs, "--calibrate", photographs, "--work", tmp_path / "work", "--output", output]
    weights = {"light": artifact.read_card(tmp_path / "small").weights_sha256[:12]}
    older = [
        {"network": name.removesuffix(" before"), "side": side, "arm": "eager", "times_as_fast": 1.0}
        | {"weights": weights.get(name, "other")}
        for name, side in OLDER
    ]
    output.write_text(json.dumps({"pytorch": {"light": {"best": "bf16 autocast"}}, "rows": older}))
    parts = ["--parts", "parity", "rows", "folders", "starts"]
    called = ["inference_speed", *map(str, words), "--trained", f"light={tmp_path / 'small'}", *parts]
    monkeypatch.setattr("sys.argv", called)
    inference_speed.main()
    result = json.loads(output.read_text())
    measured = {(row["side"], row["arm"]) for row in result["rows"]}
    assert measured == {(64, "eager"), (64, "best PyTorch"), (64, "onnxruntime"), (128, "eager")}
    assert {row["weights"] for row in result["rows"]} == set(weights.values())
    assert [(report["network"], report["passed"]) for report in result["parity"]] == [("light", True)]
    assert [row["network"] for row in result["folders"] if row["share"] > 0] == ["light", "light"]
    assert {row["arm"]: row["imports_torch"] for row in result["starts"]} == {"onnxruntime": False, "PyTorch": True}
