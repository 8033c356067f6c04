"""Networks that scores are named after: no file but the published one will do."""

from dataclasses import dataclass
from hashlib import file_digest
from http.client import HTTPException
from pathlib import Path

import torch

from ganstyle.errors import WeightsError

DOWNLOAD = "download"
"""In place of a path: take the file from torch's cache, or fetch it once."""


@dataclass(frozen=True)
class Published:
    """A weights file that is known by its hash."""

    name: str
    """In the middle of a sentence, e.g. "the FID Inception"."""
    url: str
    sha256: str
    """Or its beginning, as the name of the file tells it; empty where nobody has published one."""
    option: str
    """Of the command line, that takes the file."""


def published_file(network: Published, given: str | Path) -> Path:
    """Return the published file, from a path or, for `DOWNLOAD`, from torch's cache or the internet.

    Raises:
        WeightsError: missing, not to be downloaded, or another file.
    """
    if given == DOWNLOAD:
        return _downloaded(network)
    file = Path(given).expanduser()
    if not file.is_file():
        raise WeightsError(
            f"there is no weights file {str(given)!r}; give the path of {network.name}, or {network.option} {DOWNLOAD}."
        )
    found = hash_of(file)
    if not found.startswith(network.sha256):
        raise WeightsError(
            f"{str(given)!r} is not {network.name}: its SHA-256 begins with {found[:8]} instead of "
            f"{network.sha256[:8]}; get it from {network.url}, or give {network.option} {DOWNLOAD}."
        )
    return file


def hash_of(file: Path) -> str:
    """The SHA-256 of a file."""
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def _downloaded(network: Published) -> Path:
    file = Path(torch.hub.get_dir(), "checkpoints", Path(network.url).name)
    if file.is_file() and hash_of(file).startswith(network.sha256):
        return file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(network.url, str(file), network.sha256 or None)
    except (OSError, HTTPException, RuntimeError) as error:
        raise WeightsError(
            f"{network.name} could not be downloaded from {network.url} ({error}); connect to the internet, or give "
            f"the file by {network.option}."
        ) from error
    return file
