import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from ganstyle.errors import DataError
from ganstyle.metrics.recorded import Curve, recorded


def run_folder(folder: Path, *versions: Sequence[dict[str, object]]) -> Path:
    """Write a run's csv files as Lightning does: one version per start, all columns, empty where there is nothing."""
    for number, rows in enumerate(versions):
        file = folder / "csv" / f"version_{number}" / "metrics.csv"
        file.parent.mkdir(parents=True)
        with file.open("w", newline="") as lines:
            writer = csv.DictWriter(lines, sorted({name for row in rows for name in row}))
            writer.writeheader()
            writer.writerows(rows)
    return folder


def row(images: int, **values: object) -> dict[str, object]:
    return {"images_seen": images, **{name.replace("__", "/"): value for name, value in values.items()}}


def test_a_curve_skips_the_rows_in_which_it_has_no_value(tmp_path: Path):
    folder = run_folder(tmp_path, [row(4, a=1.0), row(8, b=2.0), row(8, a=3.0)])
    assert recorded(folder).curves == {"a": Curve((4.0, 8.0), (1.0, 3.0)), "b": Curve((8.0,), (2.0,))}


def test_what_a_resumed_run_did_again_replaces_what_was_abandoned(tmp_path: Path):
    folder = run_folder(tmp_path, [row(4, a=1.0), row(8, a=2.0), row(12, a=3.0)], [row(8, a=20.0), row(16, a=30.0)])
    assert recorded(folder).curves["a"] == Curve((4.0, 8.0, 16.0), (1.0, 20.0, 30.0))


def test_a_run_rolled_back_within_one_start_is_read_as_the_course_to_its_end(tmp_path: Path):
    folder = run_folder(tmp_path, [row(4, a=1.0), row(8, a=2.0), row(4, a=5.0), row(8, a=6.0)])
    assert recorded(folder).curves["a"] == Curve((4.0, 8.0), (5.0, 6.0))


def test_starts_are_read_in_the_order_of_their_numbers(tmp_path: Path):
    folder = run_folder(tmp_path, *([row(4 * n + 4, a=float(n))] for n in range(11)))
    assert recorded(folder).curves["a"].values == tuple(map(float, range(11)))


def test_what_is_not_a_finite_number_is_left_out(tmp_path: Path):
    folder = run_folder(tmp_path, [row(4, a="nan"), row(8, a="inf"), row(12, a="soon"), row(16, a=1.0)])
    assert recorded(folder).curves["a"] == Curve((16.0,), (1.0,))


def test_rows_without_a_count_of_images_are_skipped(tmp_path: Path):
    folder = run_folder(tmp_path, [{"a": 1.0}, row(8, a=2.0)])
    assert recorded(folder).curves["a"] == Curve((8.0,), (2.0,))


@pytest.mark.parametrize("wrapped", [False, True])
def test_verdicts_become_events_in_the_order_of_images(tmp_path: Path, wrapped: bool):
    verdicts = [{"name": "mode-collapse", "images_seen": 9, "advice": "x"}, {"name": "data-starved", "images_seen": 3}]
    run_folder(tmp_path, [row(4, a=1.0)])
    (tmp_path / "health.json").write_text(json.dumps({"verdicts": verdicts} if wrapped else verdicts))
    assert [tuple(event) for event in recorded(tmp_path).events] == [(3.0, "data-starved"), (9.0, "mode-collapse")]


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"verdict": []}', '[{"name": "x"}]', '[{"images_seen": null, "name": "x"}]']
)
def test_damaged_verdicts_are_one_sentence(tmp_path: Path, text: str):
    run_folder(tmp_path, [row(4, a=1.0)])
    (tmp_path / "health.json").write_text(text)
    with pytest.raises(DataError, match=r"health\.json is damaged"):
        recorded(tmp_path)


def test_a_folder_without_curves_says_what_it_lacks(tmp_path: Path):
    with pytest.raises(DataError, match="is not a run folder with curves"):
        recorded(tmp_path)


def test_a_run_that_logged_nothing_yet_has_no_curves(tmp_path: Path):
    with pytest.raises(DataError, match="holds no curves yet"):
        recorded(run_folder(tmp_path, [{"images_seen": 4}]))


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path):
    folder = run_folder(tmp_path, [row(4, a=1.0)])
    (folder / "csv" / "version_0" / "metrics.csv").write_bytes(b"images_seen,a\n\xff\xfe,\x00")
    with pytest.raises(DataError, match="cannot be read as the csv logger's file"):
        recorded(folder)


def test_how_scores_were_measured_is_told_in_short(tmp_path: Path):
    run_folder(tmp_path, [row(4, a=1.0)])
    told = {"sources": 6, "data": "toy, val", "crops": 8, "paintings": 5, "reference": "targets", "size": 96}
    (tmp_path / "quality.json").write_text(json.dumps({"protocol": {**told, "features": "embedded"}}))
    assert recorded(tmp_path).protocol == "6 of toy, val, against 8 windows of 5 targets; 96 px, features embedded"


def test_a_damaged_protocol_is_one_sentence(tmp_path: Path):
    run_folder(tmp_path, [row(4, a=1.0)])
    (tmp_path / "quality.json").write_text('{"protocol": {}}')
    with pytest.raises(DataError, match=r"quality\.json is damaged"):
        recorded(tmp_path)
