from pathlib import Path

import pytest

from ganstyle.beside import folder_beside


def write(folder: Path, text: str) -> None:
    with folder_beside(folder) as fresh:
        (fresh / "a.txt").write_text(text)


def test_a_folder_takes_an_older_ones_place(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    for text in ("one", "two"):
        write(folder, text)
        assert (folder / "a.txt").read_text() == text
    assert [path.name for path in folder.parent.iterdir()] == ["report"]


def test_what_was_there_stays_where_the_new_one_cannot_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, rename = tmp_path / "report", Path.rename
    write(folder, "one")

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError("no")
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(OSError, match="no"):
            write(folder, "two")
    assert (folder / "a.txt").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_what_was_there_stays_where_the_new_one_is_not_finished(tmp_path: Path) -> None:
    write(tmp_path / "report", "one")
    with pytest.raises(TypeError):
        write(tmp_path / "report", b"half")  # type: ignore[arg-type]
    assert (tmp_path / "report" / "a.txt").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
