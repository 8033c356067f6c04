import json
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from data.trees import encoded

from ganstyle.data.index import Index
from ganstyle.data.wikiart import wikiart
from ganstyle.errors import DataError, ImageError

arrow = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
NAMES = {"artist": ["vincent-van-gogh", "claude-monet"], "genre": ["landscape"], "style": ["Impressionism", "Ukiyo_e"]}


def write(
    path: Path, numbers: range, names: Mapping[str, Sequence[str]] = NAMES, **other: Sequence[object] | None
) -> Path:
    """A file as Hugging Face writes data sets with pictures and labels; a column that is None is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [{"bytes": encoded(number), "path": None} for number in numbers]
    columns = {
        "image": images,
        "artist": [n % 2 for n in numbers],
        "genre": [0] * len(numbers),
        "style": [1] * len(numbers),
        **other,
    }
    features = {kind: {"names": words, "_type": "ClassLabel"} for kind, words in names.items()}
    present = {kind: values for kind, values in columns.items() if values is not None}
    table = arrow.table(present).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path, row_group_size=3)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "data" / "train-00000-of-00002.parquet", range(7))
    write(tmp_path / "data" / "train-00001-of-00002.parquet", range(7, 12))
    return tmp_path


def test_rows_are_read_from_their_group_with_their_labels(folder: Path) -> None:
    index = wikiart(folder)
    assert len(index) == 12
    for number in (11, 0, 6, 7, 3):
        assert index.content(number) == encoded(number)
        assert index.names["artist"][index.labels["artist"][number]] == NAMES["artist"][number % 2]
    assert index.names["style"] == ["impressionism", "ukiyo-e"]
    assert pickle.loads(pickle.dumps(index)).content(5) == encoded(5)


def test_a_row_that_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(ImageError, match=r"train-00000-of-00002\.parquet holds no picture in row 70"):
        wikiart(folder).reader.content("data/train-00000-of-00002.parquet::70", 70, 0)


def artists(index: Index) -> list[str]:
    return ["?" if number < 0 else index.names["artist"][number] for number in index.labels["artist"]]


def test_every_file_names_its_labels_for_itself(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", range(4))
    write(
        tmp_path / "b.parquet", range(4, 8), {**NAMES, "artist": ["claude-monet", "edvard-munch", "vincent-van-gogh"]}
    )
    index = wikiart(tmp_path)
    assert artists(index) == ["vincent-van-gogh", "claude-monet"] * 2 + ["claude-monet", "edvard-munch"] * 2
    assert index.names["artist"] == ["vincent-van-gogh", "claude-monet", "edvard-munch"]


def test_labels_without_names_are_called_by_their_numbers(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", range(4), {}, artist=[3, 0, -1, 3])
    assert artists(wikiart(tmp_path)) == ["3", "0", "?", "3"]


def test_a_file_without_names_takes_those_on_which_all_others_agree(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", range(4), {})
    write(tmp_path / "b.parquet", range(4, 6))
    assert artists(wikiart(tmp_path)) == ["vincent-van-gogh", "claude-monet"] * 3
    write(tmp_path / "c.parquet", range(6, 8), {**NAMES, "artist": ["claude-monet", "vincent-van-gogh"]})
    with pytest.raises(DataError, match=r"a\.parquet does not name its labels of artist, and the files beside it"):
        wikiart(tmp_path)


def test_a_number_beyond_the_names_is_no_label(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", range(3), artist=[0, 2, 1])
    assert artists(wikiart(tmp_path)) == ["vincent-van-gogh", "?", "claude-monet"]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"artist": [0, 1, None]}, r"a\.parquet has no label in row 2 of its column artist; -1 stands for an unknown"),
        ({"genre": ["x", "y", "z"]}, r"a\.parquet must hold whole numbers in its column genre, but holds string"),
        (
            {"style": None, "image": None},
            r"a\.parquet is no parquet file with the columns image, artist, genre, style \(it lacks image, style\)",
        ),
    ],
)
def test_labels_that_are_no_numbers_are_refused_by_name(
    tmp_path: Path, other: dict[str, Sequence[object] | None], words: str
) -> None:
    write(tmp_path / "a.parquet", range(3), **other)
    with pytest.raises(DataError, match=words):
        wikiart(tmp_path)
