"""`ganstyle fetch`: a public data set, downloaded, verified, unpacked, and put in place at once."""

import fcntl
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from ganstyle.data.catalogue import LAYOUTS, Collection
from ganstyle.data.download import download
from ganstyle.data.locks import lock
from ganstyle.data.unpack import unpack
from ganstyle.errors import FetchError

RECORD = "checksums.txt"
"""SHA-256 sums seen at a first download, in sha256sum's format, for archives whose sum nobody publishes."""


def fetch(collection: Collection, to: Path, *, console: Console | None = None) -> Path:
    """Bring a data set into the folder `to` and return where it lies; what is there already is left alone.

    The data set's folder appears whole or not at all. Raises FetchError when the archive does not arrive, is not the
    one that the catalogue (or, where that has no sum, the first download) vouches for, or holds anything unexpected,
    and while another process fetches it into the same folder.
    """
    folder = to / collection.name
    if folder.exists():
        return folder
    archive = to / collection.archive
    try:
        to.mkdir(parents=True, exist_ok=True)
        with _alone(archive):
            if not folder.exists():  # another fetch may just have ended
                _download(collection, archive, console or Console(stderr=True))
                _verify(collection, archive)
                _unpack_into_place(collection, archive, folder)
                archive.unlink()
    except OSError as error:
        raise FetchError(
            f"{collection.name} cannot be stored in {to}: {error}; free space or choose another --to."
        ) from error
    return folder


@contextmanager
def _alone(archive: Path) -> Iterator[None]:
    """Keep other fetches of an archive away from its part and its folder, where the file system has locks."""
    claim = archive.with_name(archive.name + ".lock")
    with claim.open("w") as file:
        try:
            lock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FetchError(
                f"another process is fetching {archive.name} into {archive.parent}; wait for it to end."
            ) from None
        try:
            yield
        finally:
            claim.unlink(missing_ok=True)


def _download(collection: Collection, archive: Path, console: Console) -> None:
    """Download the archive with a progress bar, unless an earlier run that was cut short left it whole."""
    if archive.exists():
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(collection.name, total=collection.size)
        url = download(collection.urls, archive, lambda have, total: bar.update(task, completed=have, total=total))
    if collection.sha256 is None and not url.startswith("https:"):
        console.print(
            f"{archive.name} came without encryption, and no checksum is published to hold it to: whoever sits on the "
            "way could have sent another one. Its sum is kept for the next time.",
            highlight=False,
        )


def _verify(collection: Collection, archive: Path) -> None:
    """Compare the archive with the sum that is published or on record; put it on record if there is none."""
    found, expected = _sha256(archive), collection.sha256 or _recorded(archive)
    if expected is None:
        with (archive.parent / RECORD).open("a", encoding="utf-8") as record:
            record.write(f"{found}  {archive.name}\n")
    elif found != expected:
        archive.unlink()
        raise FetchError(
            f"{archive.name} is not the file it should be: its SHA-256 is {found} instead of {expected}; "
            f"it was removed: fetch it again, and if that fails the server's copy has changed."
        )


def _sha256(archive: Path) -> str:
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _recorded(archive: Path) -> str | None:
    """The archive's sum in the record beside it."""
    record = archive.parent / RECORD
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    sums = [line.split(maxsplit=1) for line in lines if line.strip()]
    return next((sum_ for sum_, name in sums if name == archive.name), None)


def _unpack_into_place(collection: Collection, archive: Path, folder: Path) -> None:
    """Unpack beside the folder, look for the layout, and rename."""
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as workplace:
        unpacked = Path(workplace) / folder.name
        unpacked.mkdir()
        unpack(archive, unpacked)
        _root(collection, unpacked, archive).rename(folder)


def _root(collection: Collection, unpacked: Path, archive: Path) -> Path:
    """The folder that holds the data set's own folders: the archive's only one, or the archive's top."""
    wanted = LAYOUTS[collection.layout]
    inner = list(unpacked.iterdir())
    for root in (unpacked, *(inner if len(inner) == 1 else [])):
        if all((root / name).is_dir() for name in wanted):
            return root
    raise FetchError(
        f"{archive} lacks the folder {' or '.join(wanted)} of a data set of {collection.layout} pictures; "
        f"remove it and fetch it again."
    )
