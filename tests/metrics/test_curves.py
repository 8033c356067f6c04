import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganstyle import images
from ganstyle.errors import DataError
from ganstyle.metrics.curves import draw_curves, smoothed, told
from ganstyle.metrics.recorded import Curve, Event

values = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=200)
HEADER = "images_seen,lr/generator,train/generator/l1,val/generator/l1,val/psnr,quality/style,quality/style/low"


def folder_of(folder: Path, text: str) -> Path:
    file = folder / "csv" / "version_0" / "metrics.csv"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return folder


@given(values)
def test_smoothing_stays_within_what_was_measured(of: list[float]):
    curve = Curve(tuple(map(float, range(len(of)))), tuple(of))
    result = smoothed(curve)
    assert result.images == curve.images
    assert min(of) - 1e-6 <= min(result.values)
    assert max(result.values) <= max(of) + 1e-6


@given(st.integers(1, 300), st.floats(-5, 5), st.floats(-5, 5))
def test_smoothing_leaves_the_inside_of_a_straight_line_as_it_is(count: int, slope: float, start: float):
    line = tuple(start + slope * place for place in range(count))
    reach = count // 50
    inside = slice(reach, count - reach)
    result = smoothed(Curve(tuple(map(float, range(count))), line)).values
    np.testing.assert_allclose(result[inside], line[inside], atol=1e-6)


def test_a_short_curve_is_not_smoothed():
    curve = Curve((1.0, 2.0, 3.0), (1.0, 5.0, 2.0))
    assert smoothed(curve) == curve


def test_events_are_told_by_name_with_their_places():
    events = [Event(4000.0, "mode-collapse"), Event(5000.0, "data-starved"), Event(12000.0, "mode-collapse")]
    assert told(events) == ["mode-collapse at 4k, 12k", "data-starved at 5k"]


def test_a_run_with_everything_gives_three_pictures(tmp_path: Path):
    rows = [f"{n},{0.1 / n},{1 / n},,,," for n in range(1, 60)]
    folder = folder_of(
        tmp_path, "\n".join([HEADER + ",quality/style/high", *(f"{r}," for r in rows), "60,,,1,20,.5,.4,.6"])
    )
    (folder / "health.json").write_text(json.dumps([{"name": "mode-collapse", "images_seen": 30}]))
    drawn = draw_curves(folder)
    assert [path.name for path in drawn] == ["losses.png", "scores.png", "rates.png"]
    assert all(min(images.dimensions(path)) > 200 for path in drawn)


def test_missing_columns_cost_only_their_own_picture(tmp_path: Path):
    folder = folder_of(tmp_path, "images_seen,train/generator/l1\n4,1.0\n")
    assert [path.name for path in draw_curves(folder)] == ["losses.png"]


def test_what_the_watch_read_is_drawn_apart_from_its_verdicts(tmp_path: Path):
    folder = folder_of(tmp_path, "images_seen,health/change,health/mode-collapse\n4,0.5,\n8,0.4,1.0\n")
    (folder / "health.json").write_text('{"verdicts": [{"name": "mode-collapse", "images_seen": 8}]}')
    assert [path.name for path in draw_curves(folder)] == ["health.png"]


def test_a_health_event_is_seen_in_the_picture(tmp_path: Path):
    folder = folder_of(tmp_path, "images_seen,train/generator/l1\n4,1.0\n8,0.5\n")
    before = images.read(draw_curves(folder)[0])
    (folder / "health.json").write_text('[{"name": "mode-collapse", "images_seen": 6}]')
    after = images.read(draw_curves(folder)[0])
    assert (before != after).any() if before.shape == after.shape else after.shape != before.shape


def test_the_same_run_gives_the_same_bytes(tmp_path: Path):
    folder = folder_of(tmp_path, "images_seen,train/generator/l1\n4,1.0\n8,0.5\n")
    first = draw_curves(folder)[0].read_bytes()
    assert draw_curves(folder)[0].read_bytes() == first


def test_a_folder_that_is_no_run_is_one_sentence_and_stays_as_it_was(tmp_path: Path):
    with pytest.raises(DataError, match="is not a run folder"):
        draw_curves(tmp_path)
    assert not list(tmp_path.iterdir())


def test_curves_go_into_a_report_where_it_asks_for_them(tmp_path: Path):
    folder = folder_of(tmp_path / "run", "images_seen,train/generator/l1\n4,1.0\n")
    assert draw_curves(folder, into=tmp_path / "report") == [tmp_path / "report" / "losses.png"]
    assert not (folder / "figures").exists()
