"""Files and folders that appear under their names whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Lend a name in a path's folder, to be written to and then renamed; what is left under it in the end goes.

    The folder is made. Whatever goes wrong with the file itself is an OSError, for the caller to put into words.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{token_hex(8)}")
    try:
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def folder_beside(folder: Path) -> Iterator[Path]:
    """Lend an empty folder, which takes a folder's name and place in the end, unless something was raised.

    An older one goes then; it stays, under its name, where that fails. Raises OSError.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as workplace:
        fresh, old = Path(workplace) / "new", Path(workplace) / "old"
        fresh.mkdir()
        yield fresh
        if not folder.exists():
            fresh.rename(folder)
            return
        folder.rename(old)
        try:
            fresh.rename(folder)
        except OSError:
            old.rename(folder)
            raise
