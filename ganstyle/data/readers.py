"""Where the files of an index lie: under a folder, or as parts of archives there. They are only read."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from ganstyle.data.folders import fingerprint, hashed
from ganstyle.data.index import Glance
from ganstyle.decode import header
from ganstyle.errors import ImageError

INSIDE = "::"
"""Between the path of an archive and the name of a file in it."""


@dataclass(frozen=True)
class Local:
    """Files under a folder, or parts of archives there."""

    root: Path

    def content(self, path: str, offset: int, length: int) -> bytes:
        """Return the bytes of a file, or of a part of an archive."""
        try:
            with (self.root / path.partition(INSIDE)[0]).open("rb") as file:
                return part(file, offset, length)
        except OSError as error:
            raise ImageError(f"{self.root / path} cannot be read: {error.strerror or error}.") from None

    def glance(self, path: str, offset: int, length: int) -> Glance:
        """Read the header and both ends of a file, or the whole of a part of an archive."""
        if offset >= 0:
            return seen(self.content(path, offset, length), path)
        file = self.root / path
        try:
            looked = header(file)
            return Glance((file.stat().st_size, looked.height, looked.width, int(fingerprint(file)[:16], 16)))
        except OSError as error:
            raise ImageError(f"{file} cannot be read: {error.strerror or error}.") from None


def part(file: Any, offset: int, length: int) -> bytes:
    """Read a file whole, or `length` bytes from an offset that is not negative."""
    if offset >= 0:
        file.seek(offset)
    content: bytes = file.read(length if offset >= 0 else -1)
    return content


def seen(content: bytes, name: str) -> Glance:
    """Look at the bytes of a picture; they get the hash that the same bytes in a file have."""
    looked = header(name, content=content)
    return Glance((len(content), looked.height, looked.width, int(hashed(BytesIO(content))[:16], 16)))
