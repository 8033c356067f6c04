import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from ganstyle.errors import WeightsError
from ganstyle.metrics.distribution import PUBLISHED
from ganstyle.metrics.inception import FID_INCEPTION, inception
from ganstyle.metrics.published import DOWNLOAD, hash_of


def test_any_other_file_than_the_published_one_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "inception.pth")
    with pytest.raises(WeightsError, match=r"is not the FID Inception: its SHA-256 begins with .* instead of 6726825d"):
        inception(tmp_path / "inception.pth")


def test_a_file_with_the_right_hash_and_the_wrong_layers_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "inception.pth")
    stand_in = replace(FID_INCEPTION, sha256=hash_of(tmp_path / "inception.pth"))
    with pytest.raises(WeightsError, match="does not hold the layers of the FID Inception"):
        inception(tmp_path / "inception.pth", stand_in)


def test_without_torch_fidelity_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(WeightsError, match=r"pip install 'ganstyle\[metrics\]'"):
        inception(tmp_path / "inception.pth")


@pytest.mark.slow
def test_features_are_those_of_torch_fidelity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On random weights in the published shape, 96 MB."""
    path = tmp_path / "inception.pth"
    torch.save({}, path)
    with monkeypatch.context() as patched:
        patched.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        theirs = FeatureExtractorInceptionV3("x", ["2048"], feature_extractor_weights_path=path)
    torch.save(theirs.state_dict(), path)
    ours = inception(path, replace(FID_INCEPTION, sha256=hash_of(path)))
    pictures = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    torch.testing.assert_close(ours(pictures), theirs(pictures)[0])
    assert ours(pictures).shape == (3, 2048)
    assert (ours.name, ours.sha256) == (PUBLISHED, hash_of(path))


@pytest.mark.network
def test_the_published_inception_can_be_downloaded() -> None:
    assert inception(DOWNLOAD)(torch.zeros(1, 3, 64, 64, dtype=torch.uint8)).shape == (1, 2048)
