"""Files of weights: what is read, what is refused, and that nothing in them is run."""

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ganstyle.errors import WeightsError
from ganstyle.interop.reading import read_tensors

TENSORS = OrderedDict(a=torch.arange(3.0), b=torch.ones(2, 2, dtype=torch.float16), n=torch.tensor(4))


class Malice:
    """Creates a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


class Model(nn.Module):
    """A whole model, as torch.save(model) keeps it."""


def equal(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    return list(found) == list(wanted) and all(torch.equal(found[name], wanted[name].to(found[name])) for name in found)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "before 1.6"])
@pytest.mark.parametrize("wrap", [dict, lambda t: {"state_dict": t, "epoch": 3}, lambda t: {"model": t}])
def test_what_torch_saved_is_read(tmp_path: Path, legacy: bool, wrap: Any) -> None:
    torch.save(wrap(TENSORS), tmp_path / "w.pth", _use_new_zipfile_serialization=not legacy)
    found = read_tensors(tmp_path / "w.pth")
    assert equal(found, TENSORS)
    assert [tensor.dtype for tensor in found.values()] == [torch.float32, torch.float32, torch.int64]


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file(dict(TENSORS), tmp_path / "w.safetensors")
    assert equal(dict(sorted(read_tensors(tmp_path / "w.safetensors").items())), TENSORS)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_the_prefixes_of_wrappers_are_taken_off(tmp_path: Path, prefix: str) -> None:
    torch.save({prefix + name: tensor for name, tensor in TENSORS.items()}, tmp_path / "w.pth")
    assert equal(read_tensors(tmp_path / "w.pth"), TENSORS)


@pytest.mark.parametrize("where", ["alone", "beside tensors", "legacy", "plain pickle"])
def test_a_malicious_pickle_runs_nothing(tmp_path: Path, where: str) -> None:
    marker, file = tmp_path / "owned", tmp_path / "latest_net_G.pth"
    evil = {"a": torch.zeros(2), "b": Malice(marker)} if where != "alone" else Malice(marker)
    if where == "plain pickle":
        file.write_bytes(pickle.dumps(evil))
    else:
        torch.save(evil, file, _use_new_zipfile_serialization=where != "legacy")
    with pytest.raises(WeightsError) as told:
        read_tensors(file)
    assert not marker.exists()
    assert "running code" in str(told.value)
    assert "\n" not in str(told.value)
    torch.load(file, weights_only=False) if where != "plain pickle" else pickle.loads(file.read_bytes())
    assert marker.exists(), "the pickle was not malicious, so the test showed nothing"


def test_a_whole_model_is_refused_with_a_way_out(tmp_path: Path) -> None:
    torch.save(Model(), tmp_path / "model.pth")
    with pytest.raises(WeightsError, match=r"running code that it brings \(\S*Model\).*save model.state_dict\(\)"):
        read_tensors(tmp_path / "model.pth")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_torchscript_is_refused(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.trace(nn.ReLU(), torch.zeros(1)), tmp_path / "script.pt")
    with pytest.raises(WeightsError, match=r"no file of weights that torch.save wrote|running code"):
        read_tensors(tmp_path / "script.pt")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([torch.zeros(1)], "no tensors by name (but list)"),
        ({}, "no tensors by name (but entries )"),
        ({"epoch": 1, "lr": 0.1}, "no tensors by name (but entries epoch, lr)"),
        ({"a": torch.tensor([1.0, float("nan")])}, "not finite in a"),
        ({f"t{n}": torch.tensor(float("inf")) for n in range(9)}, "not finite in t0, t1, t2, t3, t4, t5 and 3 more"),
    ],
)
def test_what_holds_no_usable_tensors_is_refused(tmp_path: Path, content: Any, words: str) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(WeightsError) as told:
        read_tensors(tmp_path / "w.pth")
    assert words in str(told.value)


@pytest.mark.parametrize("content", [b"", b"no weights", b"\x80\x02}q\x01.", b"PK\x03\x04" + bytes(40)])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes, suffix: str) -> None:
    file = tmp_path / f"w{suffix}"
    file.write_bytes(content)
    with pytest.raises(WeightsError) as told:
        read_tensors(file)
    assert str(file) in str(told.value)
    assert "\n" not in str(told.value)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "w.pth"
    torch.save(dict(TENSORS), file)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(WeightsError):
        read_tensors(file)


def test_a_missing_file_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    torch.save(dict(TENSORS), tmp_path / "latest_net_G.pth")
    with pytest.raises(WeightsError, match=r"did you mean 'latest_net_G\.pth'"):
        read_tensors(tmp_path / "latest_net_g.pth")
    with pytest.raises(WeightsError, match="give the path of an existing file"):
        read_tensors(tmp_path / "nowhere" / "w.pth")
    with pytest.raises(WeightsError, match="is a folder"):
        read_tensors(tmp_path)
