import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data.pictures import drawing, fill, save
from PIL import Image

from ganstyle.data.doctor import Report, examine


def truncated(path: Path) -> None:
    save(path.with_suffix(".jpg"), 77, 80, 80)
    path = path.with_suffix(".jpg")
    path.write_bytes(path.read_bytes()[:-400])


def bomb(path: Path) -> None:
    head = struct.pack(">IIBBBBB", 50_000, 50_000, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def page(path: Path) -> None:
    path.write_text("<html>404 not found</html>")


BROKEN = [truncated, bomb, empty, page]


def deep_grey(path: Path) -> None:
    Image.fromarray(drawing(70, 80, 80)[..., 0].astype(np.uint16) * 257).save(path)


def cmyk(path: Path) -> None:
    Image.fromarray(drawing(71, 80, 80)).convert("CMYK").save(path.with_suffix(".jpg"))


def palette_with_alpha(path: Path) -> None:
    Image.fromarray(drawing(72, 80, 80)).convert("P").save(path, transparency=3)


def turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(drawing(73, 80, 90)).save(path.with_suffix(".jpg"), exif=exif)


ODD_BUT_SOUND = [deep_grey, cmyk, palette_with_alpha, turned]


def healthy(folder: Path) -> Path:
    return fill(folder, 6, height=80, width=80)


def test_a_healthy_folder_is_counted(tmp_path: Path) -> None:
    report = examine([healthy(tmp_path)])
    assert not report.failed
    assert report.text() == f"{tmp_path}: 6 pictures, 80 x 80; 6 RGB; 6 PNG\na run can start."


@pytest.mark.parametrize("make", BROKEN)
def test_a_broken_file_fails_the_examination_by_name(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(healthy(tmp_path) / "bad.png")
    report = examine([tmp_path])
    assert report.failed
    assert len(report.errors) == 1
    assert "/bad." in report.errors[0]
    assert report.text().endswith("1 error: a run would fail.")


@pytest.mark.parametrize("make", ODD_BUT_SOUND)
def test_a_strange_file_that_can_be_read_is_no_error(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(healthy(tmp_path) / "odd.png")
    report = examine([tmp_path])
    assert not report.failed
    assert report.warnings == []


def test_modes_and_sizes_are_reported(tmp_path: Path) -> None:
    for make in ODD_BUT_SOUND:
        make(healthy(tmp_path) / f"{make.__name__}.png")
    assert examine([tmp_path]).summary == [
        f"{tmp_path}: 10 pictures, 80 x 80 to 80 x 90; 7 RGB, 1 CMYK, 1 I;16, 1 P; 8 PNG, 2 JPEG"
    ]


def test_a_wrong_suffix_is_a_warning(tmp_path: Path) -> None:
    Image.fromarray(drawing(99, 80, 80)).save(healthy(tmp_path) / "photo.jpg", "WEBP")
    report = examine([tmp_path])
    assert not report.failed
    assert report.warnings == [f"1 named after another format: {tmp_path}/photo.jpg is WEBP"]


def test_small_pictures_are_a_warning(tmp_path: Path) -> None:
    save(healthy(tmp_path) / "icon.png", 99, 20, 80)
    assert examine([tmp_path]).warnings == [
        f"1 smaller than 64 pixels and enlarged for training: {tmp_path}/icon.png (80 x 20)"
    ]


def test_copies_are_found_even_if_encoded_anew(tmp_path: Path) -> None:
    Image.open(healthy(tmp_path) / "002.png").save(tmp_path / "copy.jpg", quality=70)
    report = examine([tmp_path])
    assert not report.failed
    assert report.warnings == [f"1 look alike: {tmp_path}/002.png = {tmp_path}/copy.jpg"]


def collection(root: Path) -> Path:
    for start, name in enumerate(["trainA", "trainB", "testA", "testB"]):
        fill(root / name, 4, start=10 * start, height=80, width=80)
    return root


def test_every_folder_of_a_collection_is_examined(tmp_path: Path) -> None:
    report = examine([collection(tmp_path)])
    assert not report.failed
    assert [line.split(":")[0] for line in report.summary] == [
        str(tmp_path / name) for name in ("trainA", "trainB", "testA", "testB")
    ]


@pytest.mark.parametrize(("lacking", "present"), [("trainB", "trainA"), ("trainA", "trainB")])
def test_a_collection_without_one_of_its_sides_fails_the_examination(
    tmp_path: Path, lacking: str, present: str
) -> None:
    shutil.rmtree(collection(tmp_path) / lacking)
    report = examine([tmp_path])
    assert len(report.errors) == 1
    assert f"{tmp_path} has a folder {present} but no {lacking}, which data.root needs" in report.errors[0]
    assert report.text().endswith("1 error: a run would fail.")
    assert not examine([tmp_path / present]).failed


@pytest.mark.parametrize("lacking", ["testA", "testB"])
def test_a_side_without_a_test_folder_is_sound(tmp_path: Path, lacking: str) -> None:
    shutil.rmtree(collection(tmp_path) / lacking)
    assert not examine([tmp_path]).failed


def test_a_leak_from_training_to_test_is_told(tmp_path: Path) -> None:
    shutil.copy(collection(tmp_path) / "trainA" / "001.png", tmp_path / "testA" / "new.png")
    [warning] = examine([tmp_path]).warnings
    assert warning.startswith("1 look alike in training and test, so that scores are too good: ")
    assert "trainA/001.png" in warning
    assert "testA/new.png" in warning


def test_a_leak_between_two_collections_is_told(tmp_path: Path) -> None:
    collection(tmp_path / "one")
    shutil.copytree(tmp_path / "one" / "testA", tmp_path / "two" / "trainA")
    fill(tmp_path / "two" / "trainB", 1, start=90, height=80, width=80)
    [warning] = examine([tmp_path / "one", tmp_path / "two"]).warnings
    assert warning.startswith("4 look alike in training and test")


def test_unequal_twins_fail_the_examination(tmp_path: Path) -> None:
    for folder, start in (("trainA", 0), ("trainB", 50)):
        for number in range(3):
            save(tmp_path / folder / f"{number}.png", start + number, 80, 80)
    assert not examine([tmp_path]).failed
    save(tmp_path / "trainB" / "1.png", 9, 80, 81)
    assert "trainA/1.png has 80 x 80 pixels but its twin" in examine([tmp_path]).errors[0]
    (tmp_path / "trainB" / "2.png").unlink()
    assert "no twin of the same stem, the first being 2" in examine([tmp_path]).errors[0]


def test_twins_whose_test_folder_has_no_twin_fail_the_examination(tmp_path: Path) -> None:
    for folder, start in (("trainA", 0), ("trainB", 50), ("testA", 90)):
        for number in range(3):
            save(tmp_path / folder / f"{number}.png", start + number, 80, 80)
    assert "testA has no twin" in examine([tmp_path]).errors[0]


def test_a_pair_that_cannot_be_halved_fails_the_examination(tmp_path: Path) -> None:
    fill(tmp_path / "train", 3, height=80, width=160)
    save(tmp_path / "train" / "odd.png", 60, 80, 161)
    assert "odd.png is 161 pixels wide" in examine([tmp_path]).errors[0]


def test_what_is_missing_or_empty_fails_the_examination(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no picture" in examine([tmp_path / "empty"]).text()
    assert "there is no folder" in examine([tmp_path / "nowhere"]).text()
    assert "ganstyle fetch monet2photo" in examine(["data/monet2photo"]).text()
    assert examine([tmp_path / "empty"]).failed


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    for number in range(7):
        empty(healthy(tmp_path) / f"bad{number}.png")
    [error] = examine([tmp_path]).errors
    assert error.startswith("7 cannot be read: ")
    assert error.endswith(" and 2 more")
    assert error.count("0 bytes") == 5


def test_a_report_counts_its_errors() -> None:
    assert Report(errors=["one", "two"]).text() == "error: one\nerror: two\n2 errors: a run would fail."
