import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from metrics.ranks import as_rank
from metrics.world import IDLER, JUDGE, PAINTER, PHOTOGRAPHS, REFERENCES, SOURCES
from torch import multiprocessing

from ganstyle.errors import DataError
from ganstyle.metrics.cache import Cache
from ganstyle.metrics.evaluate import evaluate
from ganstyle.metrics.evidence import Evidence, Subject
from ganstyle.metrics.headline import COPY
from ganstyle.metrics.plane import IDENTITY
from ganstyle.metrics.results import Report, card_metrics, per_image_csv, plain


def judged(*subjects: Subject, seed: int = 0) -> tuple[Report, Evidence]:
    found = evaluate(SOURCES, REFERENCES, subjects, JUDGE, cache=Cache(None), seed=seed, draws=60)
    assert found is not None
    return found


@cache
def both() -> tuple[Report, Evidence]:
    return judged(PAINTER, IDLER)


def test_the_painter_is_better_than_recoloring_and_the_idler_is_not() -> None:
    report, _ = both()
    assert report.headlines["painter"].better
    assert report.headlines["painter"].as_good == ()
    assert not report.headlines["idler"].better
    assert IDENTITY in report.headlines["idler"].as_good
    assert "painter is better than recoloring" in report.opening()[0]


def test_the_baselines_stand_beside_the_model_and_doing_nothing_stands_where_identity_stands() -> None:
    report, _ = both()
    assert [line.name for line in report.lines[:6]] == ["painter", "idler", IDENTITY, "half-blend", "mkl", COPY]
    lines = {line.name: line for line in report.lines}
    assert lines["idler"].content == lines[IDENTITY].content == (1.0, 1.0, 1.0)
    assert lines["idler"].style == lines[IDENTITY].style == (0.0, 0.0, 0.0)
    assert (lines[COPY].content.value, lines[COPY].style.value) == (0.0, 1.0)
    assert 0 < lines["half-blend"].style.value < lines["mkl"].style.value < lines["painter"].style.value


def test_a_paired_difference_of_a_model_with_itself_is_nothing() -> None:
    report, _ = judged(PAINTER, replace(PAINTER, name="twin"))
    assert report.versus == ("painter", "twin")
    assert [found.interval for found in report.differences] == [(0.0, 0.0, 0.0)] * 5


def test_differences_have_the_sign_of_the_first_model() -> None:
    differences = {found.score: found.interval for found in both()[0].differences}
    assert differences["style reached"].low > 0
    assert differences["color"].high < 0  # a distance
    assert differences["content kept"].high < 0


def test_the_same_inputs_give_the_same_numbers() -> None:
    again = judged(PAINTER, IDLER)[0]
    assert plain(again) == plain(both()[0])
    assert per_image_csv(again) == per_image_csv(both()[0])


def test_another_seed_copies_other_pictures_and_keeps_the_measurement() -> None:
    other = judged(PAINTER, IDLER, seed=1)[0]
    one, moved = ({line.name: line for line in report.lines} for report in (both()[0], other))
    assert one["painter"].scores["color"].interval.value == moved["painter"].scores["color"].interval.value
    assert one[COPY].scores["edge_correlation"] != moved[COPY].scores["edge_correlation"]


def test_what_a_model_was_trained_with_is_marked_and_left_out() -> None:
    report, _ = judged(replace(PAINTER, trained_with=frozenset({"gabor"})))
    lines = {line.name: line for line in report.lines}
    assert lines["painter"].scores["gabor"].printed().endswith("‡")
    assert not lines["mkl"].scores["gabor"].trained_with
    assert report.style_scores == ("color",)
    assert any("gabor is left out of the headline: a model was trained with it" in note for note in report.notes)


def test_a_model_cannot_be_called_like_a_baseline() -> None:
    for name in ("mkl", COPY):
        with pytest.raises(DataError, match=f"cannot be called '{name}'"):
            judged(replace(PAINTER, name=name))
    with pytest.raises(DataError, match="cannot be called 'painter'"):
        judged(PAINTER, PAINTER)


def test_every_source_has_its_numbers_once() -> None:
    report, evidence = both()
    lines = per_image_csv(report).splitlines()
    assert lines[0] == "source,row,edge_correlation,color[alone],gabor[alone]"
    assert len(lines) == 1 + PHOTOGRAPHS * len(report.lines)
    assert len(evidence.pictures["painter"]) == PHOTOGRAPHS
    mean = sum(report.per_image["painter"]["edge_correlation"]) / PHOTOGRAPHS
    assert mean == pytest.approx(report.lines[0].scores["edge_correlation"].interval.value)


def test_the_card_gets_every_number_with_its_protocol() -> None:
    found = {name: (value, protocol) for name, value, protocol in card_metrics(both()[0])}
    assert found["gain over recoloring"][0] == both()[0].headlines["painter"].gain.value
    assert {"content kept", "style reached", "color", "gabor", "edge_correlation"} <= found.keys()
    assert all("reference_sha256" in protocol and "weights ema" in protocol for _, protocol in found.values())


@pytest.mark.slow
def test_two_processes_find_exactly_what_one_finds(tmp_path: Path) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    for folder, ranks in ((alone, 1), (together, 2)):
        folder.mkdir()
        multiprocessing.spawn(as_rank, (folder, ranks), nprocs=ranks)
    assert not (together / "1.json").exists()
    assert json.loads((together / "0.json").read_text()) == json.loads((alone / "0.json").read_text())
    assert (together / "0.csv").read_text() == (alone / "0.csv").read_text()
    one, both_ = (torch.load(folder / "pictures.pt", weights_only=True) for folder in (alone, together))
    assert one.keys() == both_.keys()
    assert all(torch.equal(both_[row], pictures) for row, pictures in one.items())
