"""Programs of torch.export, run by PyTorch."""

import hashlib
import logging
import warnings
from pathlib import Path

import torch
from torch import Tensor

from ganstyle.backends.label import KEY, label_in
from ganstyle.backends.model import Compute, Images, Mixtures, Model
from ganstyle.card import first_line
from ganstyle.errors import ArtifactError


def load(path: Path) -> Model:
    """Read a file; raises ArtifactError when it is not one of torch.export's with a card."""
    held = {KEY: ""}
    logging.getLogger("torch.export").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.load(path, extra_files=held)
    except Exception as error:  # a damaged archive fails in many ways
        raise ArtifactError(f"{path} cannot be run by PyTorch ({first_line(error)}).") from error
    label = label_in({KEY: held[KEY]} if held[KEY] else {}, path)
    return Model(label, "torch", path, hashlib.sha256(path.read_bytes()).hexdigest(), compute_of(program))


def compute_of(program: "torch.export.ExportedProgram") -> Compute:
    """Return the function that a program is."""
    module = program.module()

    def compute(images: Images, mixtures: Mixtures | None) -> Images:
        given = [torch.from_numpy(values) for values in (images, mixtures) if values is not None]
        with torch.inference_mode():
            picture: Tensor = module(*given)
        return picture.numpy()

    return compute
