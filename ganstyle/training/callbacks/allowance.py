"""A share of the run's time that something beside the training may take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Clock = Callable[[], float]


class Allowance:
    """Measures what is spent and says what may still be.

    Args:
        share: of the run's time, at most; 1 permits everything.
        clock: seconds, from any beginning.
    """

    def __init__(self, share: float, clock: Clock = time.monotonic) -> None:
        self.share, self.clock = share, clock
        self.began, self.seconds = clock(), 0.0

    def begin(self) -> None:
        """Start the run's clock; what was spent before counts."""
        self.began = self.clock() - self.seconds

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time inside as spent."""
        entered = self.clock()
        try:
            yield
        finally:
            self.seconds += self.clock() - entered

    @property
    def spent(self) -> float:
        """The share of the time since the beginning that was spent, from 0 to 1."""
        return self.seconds / max(self.clock() - self.began, self.seconds, 1e-9)

    def permits(self, price: float, done: float) -> bool:
        """Say whether to spend now, so that the share is kept now and at the end, when the price is paid once more.

        Args:
            price: seconds that it would take.
            done: the share of the training that is behind, above 0 and at most 1.
        """
        elapsed = self.clock() - self.began
        whole = (elapsed - self.seconds) / done + self.seconds + 2 * price
        kept_now = self.seconds + price <= self.share * (elapsed + price)
        return self.share >= 1.0 or (kept_now and self.seconds + 2 * price <= self.share * whole)
