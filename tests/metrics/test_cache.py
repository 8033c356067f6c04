from pathlib import Path

import pytest
import torch
from torch import Tensor

from ganstyle.metrics.cache import VARIABLE, Cache, cache_folder


class Counted:
    """Computes a tensor and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Tensor:
        self.calls += 1
        return torch.arange(6.0).reshape(2, 3)


def test_what_was_computed_is_remembered_to_the_bit(tmp_path: Path) -> None:
    compute = Counted()
    first, again = (Cache(tmp_path / "deep").remember(compute, "gram", "hash", 1) for _ in range(2))
    assert compute.calls == 1
    assert torch.equal(first, again)


@pytest.mark.parametrize("parts", [("gram", "other"), ("patches", "hash"), ("gram", "hash", 2), ("gramhash",)])
def test_other_parts_are_computed_anew(tmp_path: Path, parts: tuple[str | int, ...]) -> None:
    compute = Counted()
    Cache(tmp_path).remember(compute, "gram", "hash")
    Cache(tmp_path).remember(compute, *parts)
    assert compute.calls == 2


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    compute = Counted()
    assert torch.equal(Cache(tmp_path / "file").remember(compute, "gram"), torch.arange(6.0).reshape(2, 3))
    assert torch.equal(Cache(None).remember(compute, "gram"), torch.arange(6.0).reshape(2, 3))
    assert compute.calls == 2


def test_a_damaged_file_is_computed_anew(tmp_path: Path) -> None:
    compute = Counted()
    Cache(tmp_path).remember(compute, "gram")
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:20])
    Cache(tmp_path).remember(compute, "gram")
    Cache(tmp_path).remember(compute, "gram")
    assert compute.calls == 2


def test_the_environment_says_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/ganstyle")
    monkeypatch.setenv(VARIABLE, "/elsewhere")
    assert cache_folder() == Path("/elsewhere")
