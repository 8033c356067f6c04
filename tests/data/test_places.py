from pathlib import Path

import pytest
from data.trees import CATEGORIES, places_tree

from ganstyle.data.index import TRAIN, VAL
from ganstyle.data.places import places
from ganstyle.errors import ConfigError, DataError


def test_the_lists_say_category_and_split(tmp_path: Path) -> None:
    index = places(places_tree(tmp_path))
    assert len(index) == 20
    assert index.names["category"] == ["airfield", "field/cultivated", "field/wild", "field_road", "village"]
    for row in range(15):
        assert CATEGORIES[index.labels["category"][row]] in index.paths[row]
        assert index.split[row] == TRAIN
    assert index.paths[17] == "val_256/Places365_val_00000003.jpg"
    assert index.split[17] == VAL
    assert index.labels["category"][17] == 2
    assert index.there().all()


def test_small_and_large_are_told_apart(tmp_path: Path) -> None:
    places_tree(tmp_path, side=40)
    places_tree(tmp_path, side=60, size="large")
    assert places(tmp_path).sizes[0].tolist() == [40, 44]
    assert places(tmp_path, "large").sizes[0].tolist() == [60, 64]


def test_photographs_that_are_not_there_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = places_tree(tmp_path)
    (root / "data_256_standard/a/airfield/00000002.jpg").unlink()
    assert places(root).there().sum() == 19
    assert "1 of 20 pictures that Places365 (small)" in caplog.text


@pytest.mark.parametrize("name", ["categories_places365.txt", "places365_train_standard.txt", "places365_val.txt"])
def test_lists_may_lie_in_the_folder_of_their_archive_but_must_be_there(tmp_path: Path, name: str) -> None:
    root = places_tree(tmp_path)
    (root / "filelist_places365-standard").mkdir()
    (root / name).rename(root / "filelist_places365-standard" / name)
    assert len(places(root)) == 20
    (root / "filelist_places365-standard" / name).unlink()
    with pytest.raises(DataError, match=f"lacks the list {name}"):
        places(root)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder data_256_standard or data_large_standard"):
        places(tmp_path)
    with pytest.raises(ConfigError, match="unknown size of Places 'smal'; did you mean 'small'"):
        places(tmp_path, "smal")
    root = places_tree(tmp_path)
    (root / "places365_val.txt").write_text("a line\n")
    with pytest.raises(DataError, match="holds the line 'a line'"):
        places(root)
