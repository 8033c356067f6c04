import errno
import os
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from data.pictures import fill, save
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganstyle.data import index as indexing
from ganstyle.data import readers
from ganstyle.data.folders import fingerprint
from ganstyle.data.index import TRAIN, UNTOLD, VAL, Index, Listing, Rows, Text, _least, halved, indexed, told
from ganstyle.data.order import mixed
from ganstyle.data.readers import Local
from ganstyle.decode import dimensions
from ganstyle.errors import ConfigError, DataError, ImageError


def listing(names: list[str], split: int = UNTOLD) -> Listing:
    return Listing(names, np.full(len(names), split))


def made(root: Path, names: list[str], at: Path, **plan: object) -> Index:
    return indexed(at, plan, partial(listing, names), Local(root), "pictures")


@pytest.fixture
def collection(tmp_path: Path) -> tuple[Path, list[str]]:
    root = fill(tmp_path / "pictures", 30)
    return root, sorted(path.name for path in root.iterdir())


@settings(max_examples=20)
@given(st.lists(st.text(max_size=12).filter(lambda text: text.isprintable()), max_size=20))
def test_text_comes_back(tmp_path_factory: pytest.TempPathFactory, strings: list[str]) -> None:
    folder, strings = tmp_path_factory.mktemp("text"), ["", "café", *strings]
    Text.write(folder, "word", strings)
    text = Text(folder, "word")
    assert [text[number] for number in range(len(strings))] == strings


def test_a_row_says_what_the_file_says(collection: tuple[Path, list[str]], tmp_path: Path) -> None:
    root, names = collection
    index = made(root, names, tmp_path / "index")
    rows = Rows(index, np.arange(30))
    for number in (0, 7, 29):
        path = root / names[number]
        assert rows.name(number) == names[number]
        assert rows.size(number) == dimensions(path)
        assert rows.content(number) == path.read_bytes()
        assert int(index.hashes[number]) == int(fingerprint(path)[:16], 16)
    copy = pickle.loads(pickle.dumps(rows))
    assert copy.content(3) == rows.content(3)
    assert copy.identity() == rows.identity()


def test_an_index_is_made_once_per_plan(collection: tuple[Path, list[str]], tmp_path: Path) -> None:
    root, names = collection
    made(root, names, tmp_path / "index", lists="a")
    (root / names[0]).unlink()
    assert made(root, names, tmp_path / "index", lists="a").there().all()
    assert not made(root, names, tmp_path / "index", lists="b").there()[0]


@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda file: os.truncate(file, 100), lambda file: os.truncate(file, 0)]
)
@pytest.mark.parametrize("name", ["hash.npy", "path.npy", "names.json"])
def test_a_damaged_index_is_told(
    collection: tuple[Path, list[str]], tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    root, names = collection
    made(root, names, tmp_path / "index")
    damage(tmp_path / "index" / name)
    if (tmp_path / "index" / name).exists() and name == "names.json":
        (tmp_path / "index" / name).write_text("{")
    with pytest.raises(DataError, match=r"^the index .* is damaged \(.*\); remove it, and it is made anew\.$"):
        made(root, names, tmp_path / "index")


def test_what_is_missing_is_counted_and_left_out(
    collection: tuple[Path, list[str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root, names = collection
    (root / names[4]).unlink()
    (root / names[5]).write_text("no picture")
    index = told(made(root, names, tmp_path / "index"), "the list")
    assert "2 of 30 pictures that the list lists are missing or cannot be read" in caplog.text
    assert names[4] in caplog.text
    train, _ = halved(index, np.ones(30, bool), 0.0, 0)
    assert len(train) == 28
    with pytest.raises(DataError, match=r"none of the 1 pictures that the list lists is there, not even no\.png"):
        told(made(root, ["no.png"], tmp_path / "other"), "the list")


@pytest.mark.parametrize(("module", "step"), [(Image, "open"), (readers, "fingerprint")], ids=["open", "read"])
def test_a_disk_that_does_not_answer_is_no_missing_picture(
    collection: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, step: str
) -> None:
    root, names = collection
    real, fails, waits = getattr(module, step), [names[3]] * 2, list[float]()

    def stale(path: Path) -> object:
        if path.name in fails:
            fails.remove(path.name)
            raise OSError(errno.ESTALE, "Stale file handle")
        return real(path)

    monkeypatch.setattr(module, step, stale)
    monkeypatch.setattr(indexing.time, "sleep", waits.append)
    assert made(root, names, tmp_path / "index").there().all()
    assert waits == [0.5, 1.0]
    fails += [names[3]] * 9
    with pytest.raises(DataError, match=r"003\.png cannot be read: Stale file handle\. When it answers again"):
        made(root, names, tmp_path / "other")


def test_a_file_that_has_changed_is_refused(collection: tuple[Path, list[str]], tmp_path: Path) -> None:
    root, names = collection
    index = made(root, names, tmp_path / "index")
    save(root / names[0], 500, 90, 90)
    turned = bytearray((root / names[1]).read_bytes())
    turned[-20] ^= 1
    (root / names[1]).write_bytes(turned)  # of the same length
    for row in (0, 1):
        with pytest.raises(
            ImageError, match=rf"00{row}\.png holds .* when it was indexed; remove .*index to index anew"
        ):
            index.content(row)


def test_what_is_held_out_depends_on_content_alone_and_copies_stay_together(
    collection: tuple[Path, list[str]], tmp_path: Path
) -> None:
    root, names = collection
    for number in range(20, 30):
        (root / names[number]).write_bytes((root / names[number - 10]).read_bytes())
    everything = np.ones(30, bool)
    index, turned = made(root, names, tmp_path / "index"), made(root, names[::-1], tmp_path / "turned")
    for seed in range(3):
        train, held = halved(index, everything, 0.3, seed)
        contents = {train.content(number) for number in range(len(train))}
        assert not contents & {held.content(number) for number in range(len(held))}
        assert len({held.content(number) for number in range(len(held))}) == 6
        _, again = halved(turned, everything, 0.3, seed)
        assert sorted(again.name(n) for n in range(len(again))) == sorted(held.name(n) for n in range(len(held)))


@given(st.lists(st.integers(0, 9), min_size=1), st.floats(0, 0.99))
def test_a_share_of_the_different_values_is_chosen_as_by_sorting_them(values: list[int], share: float) -> None:
    least = sorted(set(values))[: int(len(set(values)) * share)]
    assert _least(np.array(values, np.uint64), share).tolist() == [value in least for value in values]


def test_an_identity_is_that_of_all_hashes_at_once(
    collection: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, names = collection
    rows = Rows(made(root, names, tmp_path / "index"), np.arange(30, dtype=np.int32))
    whole = rows.identity()
    monkeypatch.setattr(indexing, "AT_ONCE_HASHED", 7)
    assert rows.identity() == whole


@pytest.mark.parametrize("split", [TRAIN, VAL])
def test_where_nothing_can_be_held_out_it_is_judged_by_what_it_trains_on(
    collection: tuple[Path, list[str]], tmp_path: Path, split: int
) -> None:
    root, names = collection
    index = indexed(tmp_path / "index", {}, partial(listing, names[:5], split), Local(root), "pictures")
    train, held = halved(index, np.ones(5, bool), 0.1, 0)
    assert len(train) == len(held) == 5
    with pytest.raises(ConfigError, match=r"data\.held_out"):
        halved(index, np.ones(5, bool), 1.0, 0)


def test_numbers_are_scrambled_one_to_one_and_by_key() -> None:
    values = np.arange(5000, dtype=np.uint64)
    one, other = mixed(values, 1), mixed(values, 2)
    assert len(np.unique(one)) == 5000
    assert abs(np.corrcoef(one.astype(float), values.astype(float))[0, 1]) < 0.06
    assert abs(np.corrcoef(one.astype(float), other.astype(float))[0, 1]) < 0.06
