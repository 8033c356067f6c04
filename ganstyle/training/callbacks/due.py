"""When something that happens every so many images is due: at the end of a turn, when weights belong to a count."""

from ganstyle.training.system import System


class Due:
    """Remembers that a multiple of `every` images was passed until no accumulation window is open.

    Args:
        every: images between two times; one more comes at the end of the run.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self._passed = False

    def now(self, system: System, *, asked: bool = False) -> bool:
        """Say whether it is due after this batch, or was `asked` for; each time is told once."""
        self._passed = self._passed or asked or system.crossed(self.every)
        if not self._passed or not system.between_turns:
            return False
        self._passed = False
        return True

    def forget(self) -> None:
        """Begin anew."""
        self._passed = False
