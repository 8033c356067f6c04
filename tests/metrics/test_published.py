import hashlib
from pathlib import Path

import pytest
import torch

from ganstyle.errors import WeightsError
from ganstyle.metrics.published import DOWNLOAD, Published, published_file
from ganstyle.nn.vgg_files import tensors_in

CONTENT = b"weights"
NETWORK = Published("the test network", "https://example.org/net.pth", hashlib.sha256(CONTENT).hexdigest(), "--net")


def test_the_published_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(CONTENT)
    assert published_file(NETWORK, tmp_path / "net.pth") == tmp_path / "net.pth"


def test_any_other_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "other.pth").write_bytes(b"else")
    with pytest.raises(WeightsError) as error:
        published_file(NETWORK, tmp_path / "other.pth")
    found = hashlib.sha256(b"else").hexdigest()[:8]
    assert str(error.value) == (
        f"'{tmp_path / 'other.pth'}' is not the test network: its SHA-256 begins with {found} instead of "
        f"{NETWORK.sha256[:8]}; get it from https://example.org/net.pth, or give --net download."
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"there is no weights file .*none.pth.*give the path of the test network"):
        published_file(NETWORK, tmp_path / "none.pth")


def test_torchs_cache_is_looked_into_before_anything_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "net.pth").write_bytes(CONTENT)
    assert published_file(NETWORK, DOWNLOAD).read_bytes() == CONTENT


def test_a_download_that_fails_says_what_else_can_be_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(WeightsError, match=r"could not be downloaded .*no route.*give the file by --net"):
        published_file(NETWORK, DOWNLOAD)


def test_only_tensors_by_name_are_read(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "good.pth")
    assert tensors_in(tmp_path / "good.pth")["a"].tolist() == [1, 1]
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="is no state dict of tensors by name"):
        tensors_in(tmp_path / "list.pth")
    (tmp_path / "junk.pth").write_bytes(b"junk")
    with pytest.raises(WeightsError, match="cannot be read"):
        tensors_in(tmp_path / "junk.pth")
