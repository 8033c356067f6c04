"""What was left out of a collection, written down by all processes of a run in one file."""

import fcntl
from dataclasses import dataclass
from pathlib import Path

from ganstyle.data.locks import lock


@dataclass(frozen=True)
class Record:
    """The items of one collection that a run has left out; picklable, and shared by all who name the same file.

    Each is a line: the collection, the item's number, and why.
    """

    file: Path
    name: str
    """Of the collection, such as train/source."""

    def add(self, number: int, reason: str) -> tuple[bool, int]:
        """Write an item down; return whether nobody gave this reason before, and how many of the collection there are.

        A picture that is part of two collections, to train on and to look at, has one reason. The names of files in it
        may be no UTF-8, and a server's words may be several lines.
        """
        reason = " ".join(reason.split())
        with self.file.open("a+", encoding="utf-8", errors="surrogateescape") as file:
            lock(file.fileno(), fcntl.LOCK_EX)
            file.seek(0)
            lines = [line.split("\t") for line in file.read().split("\n") if line]
            numbers = {line[1] for line in lines if line[0] == self.name}
            if str(number) not in numbers:
                file.write(f"{self.name}\t{number}\t{reason}\n")
            return reason not in {line[-1] for line in lines}, len(numbers | {str(number)})
