import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from metrics.test_evaluate import both, judged
from metrics.world import IDLER, PAINTER
from PIL import Image as Pillow

from ganstyle.errors import DataError
from ganstyle.metrics.comparisons import comparisons
from ganstyle.metrics.figures import draw
from ganstyle.metrics.report import write_report
from ganstyle.metrics.tables import tables


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("evaluated") / "report"
    write_report(*both(), place)
    return place


def test_the_report_begins_with_its_verdict(folder: Path) -> None:
    title, verdict = (folder / "report.md").read_text().split("\n\n")[:2]
    assert title == "# How good is painter and idler?"
    assert verdict.startswith("**No baseline is as good as painter on both sides")


def test_the_page_opens_without_a_network(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "http://" not in page.replace("http-equiv", "")
    assert "https://" not in page
    assert page.count("<img") == page.count("data:image/webp;base64,") == 1 + len(comparisons(both()[0]))


def test_the_curves_of_training_runs_are_in_both_reports(tmp_path: Path) -> None:
    runs = [tmp_path / "one" / "run", tmp_path / "other" / "run"]
    for run in runs:
        (run / "csv" / "version_0").mkdir(parents=True)
        table = "images_seen,lr/generator,train/generator/l1\n0,0.1,3.0\n8,0.1,2.0\n"
        (run / "csv" / "version_0" / "metrics.csv").write_text(table)
    report = both()
    write_report(*report, tmp_path / "report", runs)
    drawn = [f"training/{number}_run/{name}.png" for number in (1, 2) for name in ("losses", "rates")]
    assert all((tmp_path / "report" / path).is_file() for path in drawn)
    assert all(f"![{path}]({path})" in (tmp_path / "report" / "report.md").read_text() for path in drawn)
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("<img") == 1 + len(comparisons(report[0])) + len(drawn)


def test_the_page_shows_names_as_they_are(tmp_path: Path) -> None:
    report, evidence = judged(replace(PAINTER, name="<b>bold</b>"))
    write_report(report, evidence, tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text()
    assert "<b>" not in page
    assert "&lt;b&gt;bold" in page


def test_every_row_is_marked_where_there_are_few_pictures(folder: Path) -> None:
    report = both()[0]
    for table in tables(report)[:-2]:
        assert all("†" in row[0] for row in table.rows)
    assert "20 photographs (world, test) were judged by 24 pictures" in (folder / "report.md").read_text()


def test_numbers_are_saved_with_their_protocol(folder: Path) -> None:
    found = json.loads((folder / "metrics.json").read_text())
    assert found["opening"][0].startswith("No baseline is as good as painter")
    assert [row["name"] for row in found["rows"][:2]] == ["painter", "idler"]
    for row in found["rows"]:
        assert row["protocol"]["reference_sha256"] == found["protocol"]["reference_sha256"]
        assert row["protocol"]["weights"] == ("ema" if row["kind"] == "model" else "none")


def test_each_model_has_a_protocol_of_its_own_in_both_reports(tmp_path: Path) -> None:
    live = replace(IDLER, protocol=replace(IDLER.protocol, weights="live"))
    report, evidence = judged(PAINTER, live)
    table = tables(report)[-1]
    assert table.header == ("", "painter", "idler")
    assert {row[0]: row[1:] for row in table.rows}["weights"] == ("ema", "live")
    write_report(report, evidence, tmp_path / "report")
    assert "| weights | ema | live |" in (tmp_path / "report" / "report.md").read_text()
    assert "<td>ema</td><td>live</td>" in (tmp_path / "report" / "report.html").read_text()
    assert tables(judged(PAINTER)[0])[-1].header == ("", "")


def test_a_score_seen_through_a_teacher_of_the_training_is_marked_everywhere(tmp_path: Path) -> None:
    report, evidence = judged(replace(PAINTER, akin=frozenset({"color"})))
    write_report(report, evidence, tmp_path / "report")
    found = json.loads((tmp_path / "report" / "metrics.json").read_text())
    rows = {row["name"]: row["scores"]["color"] for row in found["rows"]}
    assert rows["painter"]["akin"]
    assert not rows["painter"]["trained_with"]
    assert not rows["mkl"]["akin"]
    note = "painter was trained through features that"
    assert any(told.startswith(note) for told in found["notes"])
    for file in ("report.md", "report.html"):
        text = (tmp_path / "report" / file).read_text()
        assert note in text
        assert text.count("] §") == 1
    assert "color" in report.style_scores


def test_the_best_the_median_and_the_worst_are_shown(folder: Path) -> None:
    for shown in comparisons(both()[0]):
        values = both()[0].per_image[shown.model][shown.score]
        ordered = sorted(values, reverse=shown.score == "edge_correlation")
        assert shown.values == (ordered[0], ordered[(len(values) - 1) // 2], ordered[-1])
    assert len(list((folder / "pictures").iterdir())) >= 9


def test_one_call_draws_every_figure_again_from_what_was_saved(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.glob("*.png")}
    for name in before:
        (folder / name).unlink()
    drawn = draw(folder)
    assert {path.name: path.read_bytes() for path in drawn} == before
    assert "plane.png" in before
    with Pillow.open(folder / "plane.png") as picture:
        assert min(picture.size) > 500


def test_a_folder_without_a_report_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no report"):
        draw(tmp_path)
