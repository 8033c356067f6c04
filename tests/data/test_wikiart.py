import logging
import pickle
from pathlib import Path

import numpy as np
import pytest
from data.trees import PAINTERS, STYLES, encoded, wikiart_tree, write_lists

from ganstyle.data.index import TRAIN, UNTOLD, VAL, Index
from ganstyle.data.wikiart import wikiart
from ganstyle.errors import DataError


def labels(index: Index, kind: str) -> list[str]:
    return ["?" if number < 0 else index.names[kind][number] for number in index.labels[kind]]


def test_paths_and_lists_say_artist_style_genre_and_split(tmp_path: Path) -> None:
    index = wikiart(wikiart_tree(tmp_path))
    assert len(index) == 36
    for row in range(36):
        style, _, name = index.paths[row].partition("/")
        number = int(name[-5])
        assert labels(index, "artist")[row] == name.partition("_")[0]
        assert labels(index, "style")[row] == style.lower().replace("_", "-")
        assert labels(index, "genre")[row] == ("landscape", "still-life")[number % 2]
        assert index.split[row] == (VAL if number == 3 else TRAIN)
    assert set(index.names["artist"]) == set(PAINTERS)
    assert len(index.names["style"]) == len(STYLES)


def test_without_lists_the_paths_say_enough(tmp_path: Path) -> None:
    index = wikiart(wikiart_tree(tmp_path, lists=False))
    assert set(index.split) == {UNTOLD}
    assert set(labels(index, "genre")) == {"?"}
    assert set(labels(index, "artist")) == set(PAINTERS)


def test_garbled_names_are_matched_and_missing_ones_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "wikiart" / "Impressionism"
    folder.mkdir(parents=True)
    listed = ["l-arlésienne", "plain", "copied", "gone"]
    on_disk = ["l-arl├⌐sienne", "plain", "copied (1)"]
    for number, name in enumerate(on_disk):
        (folder / f"vincent-van-gogh_{name}.jpg").write_bytes(encoded(number))
    rows = [(f"Impressionism/vincent-van-gogh_{name}.jpg", True, 0, 0, 1) for name in listed]
    write_lists(tmp_path / "wikiart_csv", rows)
    with caplog.at_level(logging.WARNING):
        index = wikiart(tmp_path)
    assert "2 are on disk under a slightly different name, 1 are not there" in caplog.text
    assert "vincent-van-gogh_gone.jpg" in caplog.text
    assert set(labels(index, "genre")) == {"still-life"}
    assert np.asarray(index.split).tolist() == [VAL] * 3


def test_the_index_is_opened_again_until_the_folder_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = wikiart_tree(tmp_path, each=2)
    wikiart(root)
    with monkeypatch.context() as patch:
        patch.setattr("ganstyle.data.readers.Local.glance", None)
        assert len(wikiart(root)) == 18
    (root / "wikiart" / "Ukiyo_e" / "claude-monet_new.jpg").write_bytes(encoded(900))
    assert len(wikiart(root)) == 19


def test_two_collections_keep_an_index_each_in_one_folder(tmp_path: Path) -> None:
    many, few = (wikiart(wikiart_tree(tmp_path / name, each=each), tmp_path) for name, each in (("a", 2), ("b", 1)))
    assert [len(pickle.loads(pickle.dumps(index))) for index in (many, few)] == [18, 9]


def test_a_line_of_another_kind_is_refused(tmp_path: Path) -> None:
    root = wikiart_tree(tmp_path, each=1)
    (root / "wikiart_csv" / "style_train.csv").write_text("name;style\n")
    with pytest.raises(DataError, match=r"line 1 of .*style_train\.csv is 'name;style', but ArtGAN's are like"):
        wikiart(root)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("Realism/a.jpg,²\n", r"line 10 of .*style_train\.csv is 'Realism/a\.jpg,²'"),
        ("\n\nx\n", r"line 12 of .*style_train\.csv is 'x'"),
        ('"Realism/a.jpg,1\n' + "x\n" * 999, r"line 10 of .*style_train\.csv is 'Realism/a\.jpg,1.{,200}$"),
        ('"' + "x" * 200_000, r"line 10 of .*style_train\.csv cannot be read \(field larger than"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_by_its_number(tmp_path: Path, more: str, words: str) -> None:
    list_ = wikiart_tree(tmp_path, each=2) / "wikiart_csv" / "style_train.csv"
    list_.write_text(list_.read_text() + more, encoding="utf-8")
    with pytest.raises(DataError, match=words):
        wikiart(tmp_path)


def test_lists_may_begin_with_a_byte_order_mark_and_end_with_blank_lines(tmp_path: Path) -> None:
    plain, marked = wikiart_tree(tmp_path / "plain"), wikiart_tree(tmp_path / "marked")
    for path in (marked / "wikiart_csv").iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"\n\r\n")
    one, other = wikiart(plain), wikiart(marked)
    for kind in ("artist", "style", "genre"):
        assert labels(one, kind) == labels(other, kind)
    assert one.split.tolist() == other.split.tolist()
    assert one.names == other.names


def test_names_of_genres_that_are_not_in_utf_8_are_told(tmp_path: Path) -> None:
    classes = wikiart_tree(tmp_path, each=1) / "wikiart_csv" / "genre_class.txt"
    classes.write_bytes("0 landscape\n1 dessin animé\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"line 2 of .*genre_class\.txt is not written in UTF-8"):
        wikiart(tmp_path)


def test_a_missing_collection_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no folder .*unpack WikiArt there"):
        wikiart(tmp_path / "no")
