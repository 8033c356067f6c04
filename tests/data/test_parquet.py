import json
import pickle
from pathlib import Path

import pytest
from data.trees import encoded

from ganstyle.data.wikiart import wikiart
from ganstyle.errors import ImageError

arrow = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
NAMES = {"artist": ["vincent-van-gogh", "claude-monet"], "genre": ["landscape"], "style": ["Impressionism", "Ukiyo_e"]}


def write(path: Path, numbers: range) -> Path:
    """A file as Hugging Face writes data sets with pictures and labels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [{"bytes": encoded(number), "path": None} for number in numbers]
    columns = {
        "image": images,
        "artist": [n % 2 for n in numbers],
        "genre": [0] * len(numbers),
        "style": [1] * len(numbers),
    }
    features = {kind: {"names": names, "_type": "ClassLabel"} for kind, names in NAMES.items()}
    table = arrow.table(columns).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
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
