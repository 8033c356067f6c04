import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ganstyle import artifact
from ganstyle.artifact import CARD, WEIGHTS, Metric
from ganstyle.errors import ArtifactError
from ganstyle.nn.light import Light
from ganstyle.nn.resnet import ResNet
from ganstyle.nn.unet import UNet

NETWORKS = {
    "light": lambda: Light(blocks=1, channels=8),
    "resnet": lambda: ResNet(blocks=1, channels=4),
    "unet": lambda: UNet(depth=3, channels=4, norm="instance", dropout=0.0),
}


@pytest.fixture
def light() -> Light:
    return Light(blocks=1, channels=8)


@pytest.fixture
def saved(light: Light, tmp_path: Path) -> Path:
    artifact.save(light, tmp_path / "model")
    return tmp_path / "model"


def rewrite(folder: Path, **entries: Any) -> None:
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | entries))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    network = NETWORKS[name]().eval()
    artifact.save(network, tmp_path / "model")
    again = artifact.load(tmp_path / "model")
    image = torch.rand(1, 3, 32, 32) * 2 - 1
    assert type(again.network) is type(network)
    assert not again.network.training
    assert torch.equal(again.network(image), network(image))
    assert again.card.size_multiple == network.size_multiple


def test_the_card_keeps_what_it_is_told(light: Light, tmp_path: Path) -> None:
    told = {
        "styles": ("vangogh",),
        "data": {"name": "paintings", "counts": [8, 800]},
        "training": {"seed": 1, "overrides": ["a=b"], "ema": True},
        "losses": {"generator": {"l1": 100, "adversarial": 1.0}},
        "metrics": (Metric("psnr", 21.5, "toy, 64 scenes, against the known answer"),),
        "licence": "MIT",
    }
    written = artifact.save(light, tmp_path / "model", **told)
    card = artifact.read_card(tmp_path / "model")
    assert card == written
    assert {name: getattr(card, name) for name in told} == told
    assert card.arguments["blocks"] == 1
    assert card.weights_sha256 == hashlib.sha256((tmp_path / "model" / WEIGHTS).read_bytes()).hexdigest()


def test_a_folder_holds_two_files_and_nothing_is_left_beside_it(saved: Path, light: Light) -> None:
    artifact.save(light, saved)
    assert {path.name for path in saved.iterdir()} == {WEIGHTS, CARD}
    assert list(saved.parent.iterdir()) == [saved]


class Wrapper(nn.Module):
    """Looks like what torch.compile returns, without the seconds that torch.compile takes to import."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._orig_mod = network


@pytest.mark.parametrize("compiled", [Wrapper, pytest.param(torch.compile, marks=pytest.mark.slow)])
def test_a_compiled_network_is_saved_without_its_wrapper(compiled: Any, light: Light, tmp_path: Path) -> None:
    expected = set(light.state_dict())
    light.encoder["stem"] = compiled(light.encoder["stem"])
    artifact.save(compiled(light), tmp_path / "model")
    assert set(artifact.load(tmp_path / "model").network.state_dict()) == expected


def test_loading_leaves_the_random_state_alone(saved: Path) -> None:
    before = torch.get_rng_state()
    artifact.load(saved)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_stranger_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="a Linear cannot be saved"):
        artifact.save(nn.Linear(1, 1), tmp_path / "model")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [object(), float("nan"), Path("x")])
def test_a_card_holds_plain_values_only(value: object, light: Light, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="plain, finite values only"):
        artifact.save(light, tmp_path / "model", training={"odd": value})
    assert not list(tmp_path.iterdir())


def test_another_folder_is_never_replaced(light: Light, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(ArtifactError, match="is not an artifact"):
        artifact.save(light, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_a_failed_write_keeps_the_older_artifact(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(artifact, "_write_through", full)
    with pytest.raises(ArtifactError, match=r"cannot be written to .*: No space left"):
        artifact.save(Light(blocks=1, channels=8), saved)
    monkeypatch.undo()
    assert artifact.load(saved)
    assert list(saved.parent.iterdir()) == [saved]


def test_a_missing_artifact_is_named_with_the_nearest_one(saved: Path) -> None:
    with pytest.raises(ArtifactError, match="did you mean 'model'"):
        artifact.load(saved.with_name("modle"))


def test_a_folder_of_artifacts_names_them(saved: Path) -> None:
    with pytest.raises(ArtifactError, match=r"give one of them: .*model\.$"):
        artifact.load(saved.parent)


@pytest.mark.parametrize("name", [WEIGHTS, CARD])
def test_a_missing_file_is_named(name: str, saved: Path) -> None:
    (saved / name).unlink()
    with pytest.raises(ArtifactError, match=f"lacks {name}"):
        artifact.load(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"a card"', "{}", '{"format": 1}', "\x00"])
def test_a_damaged_card_is_refused(text: str, saved: Path) -> None:
    (saved / CARD).write_text(text)
    with pytest.raises(ArtifactError, match="is damaged"):
        artifact.load(saved)


@pytest.mark.parametrize("entry", artifact.KINDS)
def test_an_entry_of_the_wrong_kind_is_refused(entry: str, saved: Path) -> None:
    rewrite(saved, **{entry: None})
    with pytest.raises(ArtifactError, match=entry):
        artifact.load(saved)


def test_a_card_from_the_future_is_refused(saved: Path) -> None:
    rewrite(saved, format=2, novelty=1)
    with pytest.raises(ArtifactError, match="format 2 is newer"):
        artifact.load(saved)


def test_an_unknown_network_suggests_the_nearest(saved: Path) -> None:
    rewrite(saved, network="resnte")
    with pytest.raises(ArtifactError, match="did you mean 'resnet'"):
        artifact.load(saved)


@pytest.mark.parametrize("arguments", [{"depht": 3}, {"norm": "batsch"}, {"blocks": "six"}, {"channels": -1}])
def test_arguments_that_do_not_fit_are_refused(arguments: dict[str, Any], saved: Path) -> None:
    rewrite(saved, arguments=arguments)
    with pytest.raises(ArtifactError, match="arguments that 'light' does not take"):
        artifact.load(saved)


@pytest.mark.parametrize("position", [0, 100, -1])
def test_one_flipped_bit_is_noticed(position: int, saved: Path) -> None:
    content = bytearray((saved / WEIGHTS).read_bytes())
    content[position] ^= 1
    (saved / WEIGHTS).write_bytes(content)
    with pytest.raises(ArtifactError, match="SHA-256 is not the one on the card"):
        artifact.load(saved)


def test_weights_of_another_network_are_refused(saved: Path) -> None:
    save_file(Light(blocks=2, channels=8).state_dict(), saved / WEIGHTS)
    rewrite(saved, weights_sha256=hashlib.sha256((saved / WEIGHTS).read_bytes()).hexdigest())
    with pytest.raises(ArtifactError, match="do not fit the 'light' network of its card, beginning with 'encoder"):
        artifact.load(saved)


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was loaded",))


def test_a_pickle_is_never_loaded(saved: Path) -> None:
    (saved / WEIGHTS).write_bytes(pickle.dumps(Bomb()))
    rewrite(saved, weights_sha256=hashlib.sha256((saved / WEIGHTS).read_bytes()).hexdigest())
    with pytest.raises(ArtifactError, match="is not a safetensors file"):
        artifact.load(saved)


def test_what_was_measured_later_is_written_into_the_card_alone(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    artifact.save(Light(blocks=1, channels=8), folder, metrics=[Metric("old", 1.0, "then"), Metric("new", 1.0, "then")])
    weights = (folder / artifact.WEIGHTS).stat()
    changed = artifact.record(folder, [Metric("new", 2.0, "now"), Metric("other", 3.0, "now")])
    assert artifact.load(folder).card == changed
    assert [(metric.name, metric.value, metric.protocol) for metric in changed.metrics] == [
        ("old", 1.0, "then"),
        ("new", 2.0, "now"),
        ("other", 3.0, "now"),
    ]
    assert (folder / artifact.WEIGHTS).stat().st_mtime_ns == weights.st_mtime_ns
    assert sorted(path.name for path in folder.iterdir()) == [artifact.CARD, artifact.WEIGHTS]


def test_a_card_stays_as_it_was_when_a_number_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    artifact.save(Light(blocks=1, channels=8), folder)
    before = (folder / artifact.CARD).read_bytes()
    with pytest.raises(ArtifactError, match="finite"):
        artifact.record(folder, [Metric("psnr", float("inf"), "now")])
    assert (folder / artifact.CARD).read_bytes() == before
