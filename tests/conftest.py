"""Every test runs on one thread, with annotations of shapes checked at run time."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
torch.set_num_threads(1)  # for what is made before the first test, too
install_import_hook("ganstyle", "beartype.beartype")
settings.register_profile("unhurried", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("unhurried")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Path | None:
    """The folder of real pictures beside the checkout, where there is one."""
    folder = REPOSITORY.parent / "shared" / "data"
    return folder if folder.is_dir() else None
