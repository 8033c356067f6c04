"""What can go wrong on the way out."""

from ganstyle.errors import GanstyleError


class ExportError(GanstyleError):
    """An export that cannot be made as it was asked for."""


class ParityError(ExportError):
    """An export that paints other pictures than its artifact."""
