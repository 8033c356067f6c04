import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from data.pictures import drawing, fill, save
from torch.utils.data import DataLoader

from ganstyle.data import tolerant
from ganstyle.data.cache import Keeping
from ganstyle.data.left_out import Record
from ganstyle.data.paired import paired
from ganstyle.data.pictures import Pictures, by_short_side
from ganstyle.data.tolerant import Tolerant
from ganstyle.data.unpaired import unpaired
from ganstyle.errors import ConfigError, DataError, ImageError

AS_THEY_ARE = partial(by_short_side, short=None)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    waited: list[float] = []
    monkeypatch.setattr(tolerant.time, "sleep", waited.append)
    return waited


class Flaky:
    """Numbers below ten, some of which fail for a while."""

    def __init__(self, failures: dict[int, int]) -> None:
        self.failures = failures

    def __len__(self) -> int:
        return 10

    def __getitem__(self, number: int) -> int:
        if self.failures.get(number, 0) > 0:
            self.failures[number] -= 1
            raise ImageError(f"{number}.png is damaged.")
        return number


@pytest.mark.parametrize("action", ["stop", "skip"])
def test_what_fails_for_a_moment_is_asked_for_again(action: str, waits: list[float]) -> None:
    assert Tolerant(Flaky({3: 2}), action)[3] == 3
    assert waits == [0.5, 1.0]


def test_the_run_stops_with_the_name_after_the_retries() -> None:
    items = Flaky({3: 9})
    with pytest.raises(ImageError, match=r"^3\.png is damaged\.$"):
        Tolerant(items, "stop")[3]
    assert items.failures[3] == 9 - 1 - tolerant.RETRIES


def test_the_next_item_takes_the_place_and_the_skipped_one_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    items = Tolerant(Flaky({9: 99}), "skip")
    with caplog.at_level(logging.WARNING):
        assert [items[9], items[9], items[8]] == [0, 0, 8]
    assert [record.getMessage() for record in caplog.records] == [
        "9.png is damaged. The next picture takes its place (1 left out so far)."
    ]


def test_an_item_that_can_be_read_again_is_back() -> None:
    items = Tolerant(Flaky({4: 1 + tolerant.RETRIES}), "skip")
    assert [items[4], items[4]] == [5, 4]


def test_more_bad_ones_than_the_budget_end_the_run() -> None:
    items = Tolerant(Flaky({1: 99, 6: 99}), "skip")
    assert items[1] == 2
    with pytest.raises(DataError, match=r"2 of 10 pictures .* leaves out 1 at most; the last one: 6\.png is damaged"):
        items[6]


def test_processes_that_share_a_record_share_the_budget_and_name_an_item_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, other, held_out = (Tolerant(Flaky({1: 99, 6: 99}), "skip") for _ in range(3))
    for items, name in ((one, "train"), (other, "train"), (held_out, "val")):
        items.write_down(tmp_path / "left_out.tsv", name)
    assert [one[1], other[1], held_out[1]] == [2, 2, 2]
    assert [record.getMessage()[:17] for record in caplog.records] == ["1.png is damaged."]
    with pytest.raises(DataError, match=r"2 of 10 pictures .* the last one: 6\.png is damaged"):
        other[6]
    assert (tmp_path / "left_out.tsv").read_text().splitlines() == [
        "train\t1\t1.png is damaged.",
        "val\t1\t1.png is damaged.",
        "train\t6\t6.png is damaged.",
    ]


@pytest.mark.parametrize("reason", ["caf\udce9.png is damaged.", "it says\n\tno.", "one\u2028two"])
def test_any_reason_is_written_down_once(tmp_path: Path, reason: str) -> None:
    record = Record(tmp_path / "left_out.tsv", "train")
    assert [record.add(1, reason), record.add(1, reason), record.add(2, reason)] == [(True, 1), (False, 1), (False, 2)]
    assert (tmp_path / "left_out.tsv").read_bytes().count(b"\n") == 2


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # more than there are cores
def test_the_processes_of_a_loader_keep_one_budget(tmp_path: Path) -> None:
    items = Tolerant(Flaky({2: 99, 5: 99}), "skip")
    items.write_down(tmp_path / "left_out.tsv", "train")
    batches = [[2], [0], [1], [5]]  # 2 goes to the first process, 5 to the second
    with pytest.raises(DataError, match="2 of 10 pictures can no longer be read"):
        list(DataLoader(items, batch_sampler=batches, num_workers=2))


def test_an_action_that_there_is_not_is_told() -> None:
    with pytest.raises(ConfigError, match=r"data\.on_bad_image cannot be 'skp'; did you mean 'skip'\?"):
        Tolerant(Flaky({}), "skp")


@pytest.mark.parametrize("cut", [200, 0])
def test_a_lenient_collection_leaves_a_damaged_picture_to_whoever_asks(tmp_path: Path, cut: int) -> None:
    paths = sorted(fill(tmp_path, 3).iterdir())
    pictures = Tolerant(Pictures(paths, AS_THEY_ARE, 0), "skip")
    paths[1].write_bytes(paths[1].read_bytes()[:cut])
    assert (pictures[1] == drawing(2)).all()
    assert (pictures[0] == drawing(0)).all()


def test_a_damaged_picture_found_at_the_start_is_left_out_too(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{number}.jpg", number) for number in range(3)]
    paths[1].write_bytes(paths[1].read_bytes()[:-200])
    with pytest.raises(ImageError, match=r"1\.jpg"):
        Pictures(paths, AS_THEY_ARE)
    pictures = Tolerant(Pictures(paths, AS_THEY_ARE, lenient=True), "skip")
    assert (pictures[1] == pictures[2]).all()


BAD = [b"", b"<html>404 not found</html>"]


@pytest.mark.parametrize("content", BAD)
@pytest.mark.parametrize("budget", [0, 1 << 20])
def test_what_is_no_picture_at_all_is_left_out_too(
    tmp_path: Path, content: bytes, budget: int, caplog: pytest.LogCaptureFixture
) -> None:
    paths = sorted(fill(tmp_path, 3).iterdir())
    paths[1].write_bytes(content)
    with pytest.raises(ImageError, match=r"001\.png is not a picture"):
        Pictures(paths, AS_THEY_ARE, budget)
    pictures = Tolerant(Pictures(paths, AS_THEY_ARE, budget, lenient=True), "skip")
    pictures.write_down(tmp_path / "left_out.tsv", "train")
    assert (pictures[1] == drawing(2)).all()
    assert "001.png is not a picture that can be read" in caplog.text
    assert (tmp_path / "left_out.tsv").read_text().startswith("train\t1\t")
    paths[2].write_bytes(content)
    again = Tolerant(Pictures(paths, AS_THEY_ARE, budget, lenient=True), "skip")
    with pytest.raises(DataError, match=r"2 of 3 pictures .* leaves out 1 at most"):
        again[1]


@pytest.mark.parametrize("limit", [1.0, 3 * 40 * 48 / (1 << 30)])
def test_a_cache_has_no_place_for_what_is_no_picture(tmp_path: Path, limit: float) -> None:
    paths = sorted(fill(tmp_path / "pictures", 3).iterdir())
    paths[1].write_bytes(b"")
    keeping = Keeping.of(str(tmp_path / "cache"), limit)
    for _ in range(2):
        pictures = Tolerant(Pictures(paths, AS_THEY_ARE, lenient=True, keeping=keeping), "skip")
        assert all((pictures[number] == drawing(seed)).all() for number, seed in enumerate((0, 2, 2)))


@pytest.mark.parametrize("content", BAD)
@pytest.mark.parametrize("side", ["trainA", "trainB"])
def test_a_pair_with_a_twin_that_is_no_picture_is_left_out(tmp_path: Path, side: str, content: bytes) -> None:
    for number in range(3):
        save(tmp_path / "trainA" / f"{number}.png", number, 40, 40)
        save(tmp_path / "trainB" / f"{number}.png", 50 + number, 40, 40)
    (tmp_path / side / "1.png").write_bytes(content)
    with pytest.raises(ImageError, match=r"1\.png is not a picture"):
        paired(str(tmp_path), crop=32, held_out=0.0)
    problem = paired(str(tmp_path), crop=32, resize=40, flip=False, held_out=0.0, on_bad_image="skip")
    assert {problem.train[number]["target"].shape for number in range(9)} == {(3, 32, 32)}


@pytest.mark.parametrize("content", BAD)
def test_unpaired_data_leaves_out_what_is_no_picture(tmp_path: Path, content: bytes) -> None:
    for start, name in enumerate(("trainA", "trainB", "testA", "testB")):
        fill(tmp_path / name, 3, 10 * start, 40, 40)
        next((tmp_path / name).iterdir()).write_bytes(content)
    problem = unpaired(str(tmp_path), crop=32, on_bad_image="skip")
    for examples in (problem.train, problem.val, problem.test):
        assert [examples[number]["source"].shape for number in range(3)] == [(3, 32, 32)] * 3


def test_where_a_twin_is_lost_another_pair_stands_in_for_both(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / "trainA" / f"{number}.png", number, 40, 40)
        save(tmp_path / "trainB" / f"{number}.png", 50 + number, 40, 40)
    problem = paired(str(tmp_path), crop=32, resize=40, held_out=0.0, on_bad_image="skip")
    before = [problem.train[number] for number in range(3)]
    damaged = paired(str(tmp_path), crop=32, resize=40, held_out=0.0, on_bad_image="skip")
    pairs = damaged.train.pairs.items
    pairs.sources._kept.clear()
    pairs.sources.budget = 0
    (tmp_path / "trainA" / "1.png").write_bytes(b"")
    after = [damaged.train[number] for number in range(3)]
    same = [torch.equal(one["target"], other["target"]) for one, other in zip(before, after, strict=True)]
    assert same.count(False) == 1


def test_unpaired_data_takes_the_choice(tmp_path: Path) -> None:
    for side in ("trainA", "trainB"):
        fill(tmp_path / side, 2, 0, 40, 40)
    with pytest.raises(ConfigError, match=r"data\.on_bad_image cannot be 'ignore'"):
        unpaired(str(tmp_path), crop=32, on_bad_image="ignore")
