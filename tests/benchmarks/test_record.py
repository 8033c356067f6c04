"""A results file names the command that made it, and nobody's folders."""

import pytest

from benchmarks.record import command, shortened


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("/elsewhere/me/data/monet2photo", "PATH/monet2photo"),
        ("/monet2photo", "PATH/monet2photo"),
        ("/elsewhere/me/data/monet2photo/", "PATH/monet2photo/"),
        ("--data=/elsewhere/me/monet2photo", "--data=PATH/monet2photo"),
        (
            "ganstyle compress /elsewhere/me/teacher --output '/elsewhere/work'",
            "ganstyle compress PATH/teacher --output 'PATH/work'",
        ),
        ("examples/models/monet", "examples/models/monet"),
        ("../monet", "../monet"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("4 cores, 1/2 busy, -/+ 3", "4 cores, 1/2 busy, -/+ 3"),
    ],
)
def test_only_folders_of_absolute_paths_are_left_out(given: str, told: str) -> None:
    assert shortened(given) == told


def test_a_command_can_be_typed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sys.argv", ["/elsewhere/me/ganstyle/benchmarks/compress.py", "--data", "/data/a b", "--limit", "9"]
    )
    assert command("benchmarks.compress") == "python -m benchmarks.compress --data 'PATH/a b' --limit 9"
