"""One safetensors file with its card inside: an artifact in a single file, of 32 or 16 bits."""

import hashlib
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load as tensors_of

from ganstyle import artifact
from ganstyle.artifact import Artifact
from ganstyle.backends.label import label_in
from ganstyle.card import first_line
from ganstyle.errors import ArtifactError


def load(path: Path) -> Artifact:
    """Read a file back as an artifact in fp32; raises ArtifactError when it is damaged or not what its card says.

    The card's `weights_sha256` is then that of the file.
    """
    try:
        with safe_open(path, "pt") as file:
            label = label_in(file.metadata() or {}, path)
        content = path.read_bytes()
        tensors = {name: value.float() for name, value in tensors_of(content).items()}
    except SafetensorError as error:
        raise ArtifactError(f"{path} is not a safetensors file ({first_line(error)}).") from error
    card = replace(label.card, weights_sha256=hashlib.sha256(content).hexdigest())
    return artifact.assembled(card, tensors, path)
