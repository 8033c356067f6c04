from pathlib import Path

import pytest
from data.trees import CATEGORIES, places_tree

from ganstyle.data.index import TRAIN, VAL
from ganstyle.data.places import places
from ganstyle.errors import ConfigError, DataError

LISTS = ["categories_places365.txt", "places365_train_standard.txt", "places365_val.txt"]


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


def test_photographs_that_are_added_later_are_seen(tmp_path: Path) -> None:
    root = places_tree(tmp_path)
    for name in ("val_256/Places365_val_00000003.jpg", "data_256_standard/a/airfield/00000002.jpg"):
        content = (root / name).read_bytes()
        (root / name).unlink()
        assert places(root).there().sum() == 19
        (root / name).write_bytes(content)
        assert places(root).there().all()


@pytest.mark.parametrize("name", LISTS)
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
    with pytest.raises(DataError, match=r"line 1 of .*places365_val\.txt is 'a line', but those of Places365"):
        places(root)
    (root / "categories_places365.txt").write_text("\n")
    with pytest.raises(DataError, match=r"categories_places365\.txt lists no category"):
        places(root)


def test_lists_may_begin_with_a_byte_order_mark_and_end_with_blank_lines(tmp_path: Path) -> None:
    root = places_tree(tmp_path)
    for name in LISTS:
        (root / name).write_bytes(b"\xef\xbb\xbf" + (root / name).read_bytes() + b"\r\n\n")
    index = places(root)
    assert index.names["category"] == ["airfield", "field/cultivated", "field/wild", "field_road", "village"]
    assert len(index) == 20
    assert index.there().all()


@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_is_not_in_utf_8_is_told(tmp_path: Path, name: str) -> None:
    root = places_tree(tmp_path)
    count = (root / name).read_bytes().count(b"\n")
    (root / name).write_bytes((root / name).read_bytes() + "/c/café 0\n".encode("latin-1"))
    with pytest.raises(DataError, match=rf"line {count + 1} of .*{name} is not written in UTF-8"):
        places(root)
