from pathlib import Path

import pytest

from ganstyle.cli import main


def test_a_run_folder_is_drawn_and_the_pictures_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "csv" / "version_0" / "metrics.csv"
    file.parent.mkdir(parents=True)
    file.write_text("images_seen,train/generator/l1\n4,1.0\n8,0.5\n")
    assert main(["figures", str(tmp_path)]) == 0
    told = Path(capsys.readouterr().out.strip())
    assert told == tmp_path / "figures" / "losses.png"
    assert told.is_file()


@pytest.mark.parametrize(("name", "sentence"), [("", "is neither a run with curves"), ("none", "there is no folder")])
def test_a_folder_with_nothing_to_draw_is_one_sentence(
    name: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["figures", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
