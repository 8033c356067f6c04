"""Pictures on another machine, as far as fsspec reaches: `s3://bucket/folder`, `https://host/folder`. Only read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ganstyle.data.index import UNTOLD, Glance, Index, Listing, hashed_name, indexed, told
from ganstyle.data.readers import INSIDE, seen
from ganstyle.decode import is_picture
from ganstyle.errors import DataError, GanstyleError, ImageError, UnreachableError


@dataclass
class Remote:
    """Files that fsspec reaches, such as `s3://bucket/folder` or `https://host/folder`; needs the extra `remote`."""

    root: str
    _systems: dict[int, Any] = field(default_factory=dict, repr=False, compare=False)

    def content(self, path: str, offset: int, length: int) -> bytes:
        """Return the bytes of a file, or of a part of an archive; only these are asked for."""
        place = f"{self.root}/{path.partition(INSIDE)[0]}"
        with worded(place):
            system, bounds = self.system(), {} if offset < 0 else {"start": offset, "end": offset + length}
            return bytes(system.cat_file(system._strip_protocol(place), **bounds))

    def glance(self, path: str, offset: int, length: int) -> Glance:
        """Fetch a picture and look at it."""
        return seen(self.content(path, offset, length), path)

    def system(self) -> Any:
        """Connect, once in every process: a connection does not survive a fork."""
        if os.getpid() not in self._systems:
            self._systems = {os.getpid(): connected(self.root)}
        return self._systems[os.getpid()]

    def __reduce__(self) -> Any:
        """Send the address alone to another process."""
        return Remote, (self.root,)


def connected(url: str) -> Any:
    """Return fsspec's file system for an address; raises DataError where it, or what it needs, is not installed."""
    try:
        import fsspec

        return fsspec.core.url_to_fs(url)[0]
    except (ImportError, ValueError) as error:
        raise DataError(f"{url} cannot be reached: {error}; pip install 'ganstyle[remote]' brings fsspec.") from None


@contextmanager
def worded(place: str) -> Iterator[None]:
    """Put what goes wrong on the way into one sentence."""
    try:
        yield
    except GanstyleError:
        raise
    except FileNotFoundError:
        raise ImageError(f"there is no picture {place}.") from None
    except Exception as error:  # every service has errors of its own
        raise UnreachableError(f"{place} cannot be read: {str(error) or type(error).__name__}.") from None


@contextmanager
def answered(place: str, how: str) -> Iterator[None]:
    """Put what goes wrong while a server is asked for more than a picture into one sentence: it cannot be `how`."""
    try:
        yield
    except GanstyleError:
        raise
    except Exception as error:  # every service has errors of its own
        raise DataError(f"{place} cannot be {how}: {str(error) or type(error).__name__}.") from None


def remote(url: str, at: Path) -> Index:
    """Index the pictures under an address, subfolders included; every one is fetched once for that.

    What is added there later is not seen until the index is removed.

    Args:
        url: an address that fsspec reaches.
        at: the folder on this machine under which the index lies.

    Raises:
        DataError: nothing is there, or fsspec or what it needs for this address is not installed.
    """
    reader = Remote(url.rstrip("/"))
    name = "".join(letter if letter.isalnum() else "-" for letter in reader.root)
    folder = at / f"remote-{name}-{hashed_name(reader.root)}"
    what = f"the pictures in {url}"
    index = indexed(folder, {"kind": "remote", "url": reader.root}, partial(_listing, reader), reader, what)
    return told(index, url)


def _listing(reader: Remote) -> Listing:
    """List the pictures under the address, in the order of their names."""
    system = reader.system()
    base = system._strip_protocol(reader.root).rstrip("/")
    with answered(reader.root, "listed"):
        found = sorted(str(path).removeprefix(base).lstrip("/") for path in system.find(base))
    paths = [path for path in found if is_picture(Path(path))]
    return Listing(paths, np.full(len(paths), UNTOLD))
