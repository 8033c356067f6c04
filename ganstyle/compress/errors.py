"""What can go wrong when a network is made smaller."""

from ganstyle.errors import GanstyleError


class CompressError(GanstyleError):
    """A network that cannot be made smaller as it was asked for."""
