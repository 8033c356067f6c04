"""Tensors by name from any weights file, without ever running what a file brings along."""

import re
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ganstyle.errors import WeightsError, suggestion

WRAPPERS = re.compile(r"^((module|_orig_mod)\.)+")
"""What DataParallel and torch.compile put before every name."""
CONTAINERS = ("state_dict", "model_state_dict", "model")
"""Entries under which programs keep a network's tensors beside other things."""
SUFFIXES = (".safetensors", ".pth", ".pt", ".model")
"""Of files that a misspelt name may mean."""
FEW = 6
"""So many names are told; of the rest, the number."""
Tensors = Mapping[str, Tensor]


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a `.safetensors` file, or one that torch.save wrote, as tensors by name on the CPU, floats in float32.

    Wrappers' prefixes (`module.`, `_orig_mod.`) are taken off the names.
    Raises WeightsError for a file that is missing, damaged, needs code to be run, or holds no tensors by name.
    """
    if not path.is_file():
        raise WeightsError(_missing(path))
    found = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickled(path)
    tensors = {WRAPPERS.sub("", name): _plain(tensor) for name, tensor in _state_dict(found, path).items()}
    if endless := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise WeightsError(f"{path} holds values that are not finite in {listed(endless)}; train or fetch it again.")
    return tensors


def listed(names: list[str]) -> str:
    """Name the first few, and say how many more there are."""
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(names[:FEW]) + more


def _read_safetensors(path: Path) -> Any:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} is no readable safetensors file ({_gist(error)}); fetch it again.") from error


def _read_pickled(path: Path) -> Any:
    """Unpickle tensors and plain containers only; every other class is refused before it is looked up."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of TorchScript archives, which are refused just after
            return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise WeightsError(_unsafe(path, error)) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, struct.error) as error:
        raise WeightsError(f"{path} is no file of weights that torch.save wrote ({_gist(error)}).") from error


def _unsafe(path: Path, error: UnpicklingError) -> str:
    """Say what a pickle would have had to run, where it names something."""
    wanted = re.search(r"GLOBAL (\S+)", str(error)) or re.search(
        r"\b([\w.]+\.[\w.]+) (?:was|is) not an allowed", str(error)
    )
    if wanted is None:
        return f"{path} is damaged, or can only be read by running code that it brings, which ganstyle never does."
    return (
        f"{path} can only be read by running code that it brings ({wanted[1]}), which ganstyle never does; "
        f"save model.state_dict() instead of the model, and import that."
    )


def _state_dict(found: Any, path: Path) -> Tensors:
    """The tensors by name, in the file itself or one step inside."""
    candidates = [found, *(found[name] for name in CONTAINERS if name in found)] if isinstance(found, Mapping) else []
    for candidate in candidates:
        if isinstance(candidate, Mapping) and candidate and all(isinstance(v, Tensor) for v in candidate.values()):
            return {str(name): tensor for name, tensor in candidate.items()}
    inside = f"entries {listed([str(name) for name in found])}" if isinstance(found, Mapping) else type(found).__name__
    raise WeightsError(f"{path} holds no tensors by name (but {inside}); save model.state_dict() and import that.")


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().float() if tensor.is_floating_point() else tensor.detach()


def _missing(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder; give a file of weights, such as latest_net_G.pth."
    beside = [file.name for suffix in SUFFIXES for file in path.parent.glob(f"*{suffix}")]
    hint = suggestion(path.name, beside) if beside else "; give the path of an existing file."
    return f"there is no file {path}{hint}"


def _gist(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".;") or type(error).__name__
