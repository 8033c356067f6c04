"""Statistics of reference sets, kept by the hash of what they were computed from."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from torch import Tensor

from ganstyle.beside import beside

VERSION = 2
"""To be raised when a score's definition changes, so that nothing computed before is taken for it."""
VARIABLE = "GANSTYLE_CACHE"


def cache_folder() -> Path:
    """Say where statistics are kept: $GANSTYLE_CACHE, or `ganstyle` in the user's cache folder."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganstyle"


@dataclass(frozen=True)
class Cache:
    """A folder of tensors; one that cannot be read or written only costs the time to compute them again."""

    folder: Path | None
    """None keeps nothing."""

    def remember(self, compute: Callable[[], Tensor], *parts: str | int) -> Tensor:
        """Return the tensor kept under these parts, which say everything it depends on, or compute and keep it."""
        if self.folder is None:
            return compute()
        file = self.folder / f"{sha256(repr((VERSION, *parts)).encode()).hexdigest()}.safetensors"
        kept = _read(file)
        if kept is not None:
            return kept
        tensor = compute()
        with contextlib.suppress(OSError):
            _write(file, bytes_of({"tensor": tensor.contiguous()}))
        return tensor


def _read(file: Path) -> Tensor | None:
    try:
        return tensors_of(file.read_bytes())["tensor"]
    except (OSError, SafetensorError, KeyError):
        return None


def _write(file: Path, content: bytes) -> None:
    """Write beside the file, then rename, so that no other process reads half of it."""
    with beside(file) as temporary:
        temporary.write_bytes(content)
        temporary.replace(file)
