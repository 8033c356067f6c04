from pathlib import Path

import numpy as np
import pytest
import torch

from ganstyle import artifact
from ganstyle.cli.subjects import dropout, learned_direction, normalization, subject
from ganstyle.errors import ArtifactError, DataError
from ganstyle.images import to_tensor, write
from ganstyle.metrics.sets import as_bytes
from ganstyle.nn.light import Light
from ganstyle.nn.unet import UNet


def test_an_artifact_restyles_and_tells_its_habits(tmp_path: Path) -> None:
    artifact.save(Light(blocks=1, channels=8), tmp_path / "model", training={"ema_half_life": 1000.0})
    model = subject(tmp_path / "model")
    assert model.name == "model"
    assert model.stems is None
    assert model.habits == {"weights": "ema", "dropout": "none", "normalization": "no batch norm"}
    result = model.restyler(("a",), 32, 0)(torch.zeros(1, 3, 32, 32), 0)
    assert result.shape == (1, 3, 32, 32)


def test_a_runs_artifact_is_called_like_its_experiment(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "monet" / "2026-01-01"
    for place, training, name in (
        (run / "artifact", {"experiment": "monet"}, "monet"),
        (run / "artifact" / "back", {"experiment": "monet"}, "monet back"),
        (tmp_path / "shipped", {"experiment": "monet"}, "shipped"),
        (tmp_path / "artifact", {}, tmp_path.name),
    ):
        artifact.save(Light(blocks=1, channels=8), place, training=training)
        assert subject(place).name == name


@pytest.mark.parametrize(("training", "weights"), [({"ema_half_life": 0}, "live"), ({}, "unknown")])
def test_a_card_tells_whether_weights_are_averaged(tmp_path: Path, training: dict[str, int], weights: str) -> None:
    artifact.save(Light(blocks=1, channels=8), tmp_path / "model", training=training)
    assert subject(tmp_path / "model").habits["weights"] == weights


@pytest.mark.parametrize(
    ("data", "direction"),
    [
        ({"name": "own/trainB -> own/trainA"}, "BtoA"),
        ({"name": "own/trainA -> paintings/titian"}, "AtoB"),
        ({"name": "own", "direction": "BtoA"}, "BtoA"),
        ({"name": "other", "direction": "BtoA"}, None),
        ({}, None),
    ],
)
def test_a_card_tells_the_direction_that_was_learned(
    tmp_path: Path, data: dict[str, str], direction: str | None
) -> None:
    card = artifact.save(Light(blocks=1, channels=8), tmp_path / "model", data=data)
    assert learned_direction(card, "own") == direction


def test_noise_at_test_belongs_to_the_picture_not_to_the_order(tmp_path: Path) -> None:
    artifact.save(UNet(depth=6, channels=4, dropout=0.5, dropout_at_test=True), tmp_path / "model")
    restyle = subject(tmp_path / "model").restyler(("a", "b"), 64, 0)
    image = torch.rand(1, 3, 64, 64)
    before = torch.random.get_rng_state()
    first, second, again = restyle(image, 0), restyle(image, 1), restyle(image, 0)
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_dropout_and_batch_norm_at_test_are_told() -> None:
    noisy = UNet(depth=6, channels=4, norm="batch", dropout=0.5, dropout_at_test=True)
    quiet = UNet(depth=6, channels=4, norm="batch", dropout=0.5, dropout_at_test=False, statistics_at_test="running")
    assert dropout(noisy).startswith("active")
    assert dropout(quiet) == "off"
    assert normalization(noisy) == "batch norm over one picture"
    assert normalization(quiet) == "batch norm with running statistics"


def test_a_folder_of_results_is_looked_up_by_stem(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    write(pixels, tmp_path / "theirs" / "b.png")
    theirs = subject(tmp_path / "theirs")
    assert theirs.stems == {"b"}
    assert theirs.habits["weights"] == "unknown"
    found = theirs.restyler(("a", "b"), 8, 0)(torch.zeros(1, 3, 8, 8), 1)
    assert torch.equal(as_bytes(found), as_bytes(to_tensor(pixels)[None]))


def test_mistaken_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no folder"):
        subject(tmp_path / "nowhere")
    pixels = np.zeros((8, 8, 3), dtype=np.uint8)
    write(pixels, tmp_path / "twice" / "a.png")
    write(pixels, tmp_path / "twice" / "a.jpg")
    with pytest.raises(DataError, match="same stem"):
        subject(tmp_path / "twice")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "card.json").write_text("{")
    with pytest.raises(ArtifactError, match="damaged"):
        subject(tmp_path / "half")
