"""Numbers that are not there, and why."""

from typing import NamedTuple


class Absent(NamedTuple):
    """A score that was not computed, and the reason to print in its place."""

    name: str
    """The score as a table would call it, e.g. fid or kid[vgg19-slim16x relu4_1]."""
    reason: str
    """Why, in words that follow "because": no capital, no full stop."""

    def __str__(self) -> str:
        """Say it in one sentence."""
        return f"{self.name} is left out, because {self.reason}."
