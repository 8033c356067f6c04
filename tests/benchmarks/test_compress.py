"""The ladder of a compression has every rung, and the bars are held to each as they are written."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import compress
from benchmarks.compress import _verdict, compared
from ganstyle.backends.reports import report_path
from ganstyle.export import parity

TEACHER: dict[str, Any] = {"content": 0.8, "style": 0.4, "edge_correlation": 0.9, "gram": 0.3}


def row(**changed: float) -> dict[str, Any]:
    smaller = {"parameters_times_smaller": 12.0, "multiply_adds_times_smaller": 8.0, "milliseconds_times_smaller": 5.0}
    return {**TEACHER, **smaller, **changed}


def test_a_rung_at_every_bar_meets_it() -> None:
    at_the_bar = row(content=0.8 * 0.95 + 1e-9, style=0.4 * 0.95 + 1e-9, gram=0.3 * 1.05 - 1e-9)
    assert all(bar["met"] for bar in compared(TEACHER, at_the_bar).values())
    assert _verdict("int8", compared(TEACHER, at_the_bar)) == "int8 meets every bar"


def test_what_is_missed_is_named_with_its_value() -> None:
    found = compared(TEACHER, row(style=0.37, gram=0.32, multiply_adds_times_smaller=7.9))
    assert {name for name, bar in found.items() if not bar["met"]} == {"style", "gram", "multiply_adds"}
    assert _verdict("pruned", found) == "pruned misses multiply_adds (7.9), style (0.37), gram (0.32)"


def test_a_teacher_below_zero_may_be_missed_by_a_share_of_its_size_only() -> None:
    teacher = TEACHER | {"style": -0.2}
    assert compared(teacher, row(style=-0.205))["style"]["met"]
    assert not compared(teacher, row(style=-0.22))["style"]["met"]


def written(folder: Path, output: Path, *, to: str, precision: str = "fp32", calibrate: Path | None = None) -> None:
    output.write_text(f"{to} of {folder.name}")
    rows = [parity.Row(1, 256, 256, 0.1, 0.01, 47.5)]
    told = {"precision": precision, "pictures": "drawn", "speed": {}, **parity.plain_rows(rows, precision)}
    report_path(output).write_text(json.dumps(told))


@pytest.fixture
def ladder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[compress.Step]:
    """Steps of a compression whose 8 bits were made from what was pruned."""
    monkeypatch.setattr(compress, "export", written)
    for name in ("teacher", "work/student", "work/pruned", "exports"):
        (tmp_path / name).mkdir(parents=True)
    written(tmp_path / "work" / "pruned", tmp_path / "work" / "pruned.int8.onnx", to="onnx", precision="int8")
    words = Namespace(teacher=tmp_path / "teacher", compressed=tmp_path / "work", data=tmp_path)
    return compress._steps(words, tmp_path / "exports")


def test_what_8_bits_gain_can_be_told_from_what_the_program_gains(ladder: list[compress.Step]) -> None:
    trained, exported = ["teacher", "student", "pruned"], ["teacher in onnxruntime", "pruned in onnxruntime"]
    assert [step.name for step in ladder] == [*trained, *exported, "int8 in onnxruntime", "int8 in OpenVINO"]
    assert {step.artifact.name for step in ladder[4:]} == {"pruned"}
    assert ladder[4].path.read_text() == "onnx of pruned"


def test_exports_keep_their_parity_and_its_bound(ladder: list[compress.Step]) -> None:
    for step in ladder[-2:]:
        told = compress._parity(step)
        assert told["bound"] == {"max": None, "psnr": 40.0}
        assert [size["psnr"] for size in told["sizes"]] == [47.5]
