"""Where the files of an index lie: under a folder, or as parts of archives there. They are only read."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from ganstyle.data.folders import fingerprint, hashed
from ganstyle.data.index import Glance, mark
from ganstyle.decode import header
from ganstyle.errors import ImageError, UnreachableError

INSIDE = "::"
"""Between the path of an archive and the name of a file in it."""
NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP)
"""What a disk says of a file that is none, and will be none a moment later."""


@dataclass(frozen=True)
class Local:
    """Files under a folder, or parts of archives there."""

    root: Path

    def content(self, path: str, offset: int, length: int) -> bytes:
        """Return the bytes of a file, or of a part of an archive."""
        with _worded(self.root / path), (self.root / path.partition(INSIDE)[0]).open("rb") as file:
            return part(file, offset, length)

    def glance(self, path: str, offset: int, length: int) -> Glance:
        """Read the header and both ends of a file, or the whole of a part of an archive."""
        if offset >= 0:
            return seen(self.content(path, offset, length), path)
        file = self.root / path
        with _worded(file):
            looked = header(file)
            return Glance((file.stat().st_size, looked.height, looked.width, mark(fingerprint(file))))


@contextmanager
def _worded(file: Path) -> Iterator[None]:
    """Tell a file that is not there, or no picture, from a disk that does not answer."""
    try:
        yield
    except OSError as error:
        raise lost(file, error) from None
    except ImageError as error:
        if isinstance(error.__context__, OSError) and error.__context__.errno is not None:  # not the decoder's own
            raise lost(file, error.__context__) from None
        raise


def lost(file: Path, error: OSError) -> ImageError:
    """Word what a disk says of a file: either there is none, or it cannot be told now."""
    kind = ImageError if error.errno in NOT_THERE else UnreachableError
    return kind(f"{file} cannot be read: {error.strerror or error}.")


def part(file: Any, offset: int, length: int) -> bytes:
    """Read a file whole, or `length` bytes from an offset that is not negative."""
    if offset >= 0:
        file.seek(offset)
    content: bytes = file.read(length if offset >= 0 else -1)
    return content


def seen(content: bytes, name: str) -> Glance:
    """Look at the bytes of a picture; they get the hash that the same bytes in a file have."""
    looked = header(name, content=content)
    return Glance((len(content), looked.height, looked.width, mark(hashed(BytesIO(content)))))
