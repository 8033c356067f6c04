"""Text files that list a collection, line by line."""

from collections.abc import Iterator
from pathlib import Path

from ganstyle.errors import DataError


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a list that are not blank, stripped, each with its number from 1; a byte-order mark is none.

    Raises:
        DataError: it is not written in UTF-8.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        raise DataError(f"line {number} of {path} is not written in UTF-8; save the list in UTF-8.") from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, line.strip()
