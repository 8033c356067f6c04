"""What a command line asks for in vain."""

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
