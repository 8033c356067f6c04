"""The page of results says what the files of the evaluations say, and leaves hand-written words alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results_page
from benchmarks.results_page import BLOCK, PAGE, RESULTS, filled, section, take

TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = [block[1] for block in BLOCK.finditer(TEXT)]


def test_the_page_is_what_the_files_make_of_it() -> None:
    assert filled(TEXT, RESULTS) == TEXT


def test_every_section_has_one_block_and_every_block_its_file() -> None:
    assert len(BLOCKS) == len(set(BLOCKS)) == TEXT.count("\n## ")
    assert all((RESULTS / f"{name}.json").is_file() for name in BLOCKS)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_section_has_intervals_all_sides_and_the_classifiers_accuracy(name: str) -> None:
    found = json.loads((RESULTS / f"{name}.json").read_text())
    told = section(found, name)
    assert found["opening"][0] in told
    network = found["protocol"]["features"]
    for score in ("edge_correlation", "dog_ssim", "self_similarity", "gram", "patches", f"kid[{network} "):
        assert score in told
    assert "with a balanced accuracy of" in told
    model = found["rows"][0]
    for side in ("content", "style"):
        value, low, high = (model[side][end] for end in ("value", "low", "high"))
        assert f"{value:.2f} [{low:.2f}, {high:.2f}]" in told


def small() -> dict[str, Any]:
    """What an evaluation with one model and one score a side may find, through features that no training saw."""
    whole: dict[str, Any] = json.loads((RESULTS / "evaluate_monet.json").read_text())
    whole["notes"] = [note for note in whole["notes"] if "§" not in note]
    for row in whole["rows"]:
        row["scores"] = {name: row["scores"][name] for name in ("dog_ssim", "gram") if name in row["scores"]}
        for score in row["scores"].values():
            score.pop("akin", None)
    return whole


def test_a_mark_is_explained_where_it_is_used_and_only_there() -> None:
    found = small()
    assert "§" not in section(found, "evaluate_x")
    found["rows"][0]["scores"]["gram"]["akin"] = True
    assert section(found, "evaluate_x").count("§") == 2


def test_words_by_hand_stay_and_a_new_evaluation_takes_the_place_of_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_page, "RESULTS", tmp_path)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "metrics.json").write_text(json.dumps(small() | {"opening": ["It is new.", "So it is."]}))
    take("mine", tmp_path / "report", "ganstyle evaluate --model PATH/mine")
    page = "# Mine\n\n<!-- from evaluate_mine.json -->\nold\n<!-- to here -->\n\nBy hand.\n"
    told = filled(page, tmp_path)
    assert told.startswith(
        "# Mine\n\n<!-- from evaluate_mine.json -->\n```\nganstyle evaluate --model PATH/mine\n```\n"
    )
    assert "> It is new." in told
    assert "\nold\n" not in told
    assert told.endswith("<!-- to here -->\n\nBy hand.\n")
    assert filled(told, tmp_path) == told
