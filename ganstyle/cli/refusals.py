"""What a command line asks for in vain."""

from collections.abc import Iterable
from pathlib import Path

from ganstyle.errors import GanstyleError


class UsageError(GanstyleError):
    """A command line that cannot be understood, or whose words contradict each other."""


class OverwriteError(GanstyleError):
    """An output that exists already."""


def refuse_overwriting(output: Path, *, force: bool) -> None:
    """Raise OverwriteError where something is at an output, unless it may be replaced."""
    if output.exists() and not force:
        raise OverwriteError(f"{output} exists; add --force to replace it, or give another --output.")


def refuse_replacing(output: Path, inputs: Iterable[Path | None]) -> None:
    """Raise OverwriteError for an output that is one of a command's own inputs, whatever may be replaced."""
    for each in inputs:
        if each is not None and output.exists() and each.exists() and output.samefile(each):
            raise OverwriteError(f"{output} would replace {each} itself; give another --output.")
