"""How a number was measured: without it no score can be printed."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from ganstyle.errors import GanstyleError
from ganstyle.metrics.intervals import Interval

ENOUGH = 50
"""Sources, and pictures of reference, below which no set score is worth printing unmarked."""
Averaging = Literal["ema", "live", "unknown", "none"]


class ProtocolError(GanstyleError):
    """A score that cannot be printed, because how it was measured is not told or does not suffice."""


@dataclass(frozen=True)
class Protocol:
    """What a score depends on beside the pictures that it judges."""

    data: str
    """The data set and the split that the sources come from."""
    sources: int
    """Photographs that were restyled."""
    reference: str
    """The set that style is measured against, by name."""
    paintings: int
    """Pictures in that set."""
    crops: int
    """Windows of these pictures that were looked at; more than `paintings` where there are few."""
    reference_sha256: str
    """Hash of the reference windows, as 8-bit pixels."""
    size: int
    """Side of the square that every picture is judged at, in pixels."""
    resize: str
    """How a picture is brought to that square."""
    features: str
    """The feature network by name."""
    features_sha256: str
    """Hash of its weights."""
    weights: Averaging
    """Whether the judged weights are a moving average of training's or its last ones; unknown for a folder of
    results, none for a baseline."""
    dropout: str
    """What dropout does while the model is judged."""
    normalization: str
    """Which statistics normalization layers use while the model is judged."""
    seed: int
    """Of everything drawn: baselines, projections, resamples."""
    commit: str
    """Of ganstyle."""
    versions: tuple[tuple[str, str], ...]
    """Package and version of what computes."""

    def __post_init__(self) -> None:
        """Refuse a protocol with a gap.

        Raises:
            ProtocolError: an entry is empty, or a count is not positive.
        """
        for name, value in asdict(self).items():
            missing = value < 1 if name in ("sources", "paintings", "crops", "size") else value in ("", ())
            if missing:
                raise ProtocolError(f"a score cannot be printed without its protocol, and {name} is missing.")

    @property
    def small(self) -> bool:
        """Whether there are too few sources or references for a number to mean much."""
        return min(self.sources, self.paintings) < ENOUGH

    def require_enough(self, force: bool) -> None:
        """Raise ProtocolError for too few pictures, unless forced."""
        if self.small and not force:
            raise ProtocolError(
                f"there are {self.sources} sources and {self.paintings} reference pictures, but fewer than {ENOUGH} of "
                f"either make set scores unreliable; give more, or add --force to have every row marked."
            )

    def mark(self) -> str:
        """What stands beside every row: nothing, or the sign that there are too few pictures."""
        return "†" if self.small else ""

    def counts(self) -> str:
        """Say in one sentence how many pictures were judged, by how many."""
        doubt = f"; † marks every row, since fewer than {ENOUGH} of either make set scores unreliable"
        return (
            f"{self.sources} photographs ({self.data}) were judged by {self.paintings} pictures ({self.reference}), "
            f"seen through {self.crops} windows of {self.size} x {self.size} pixels{doubt if self.small else ''}."
        )

    def plain(self) -> dict[str, Any]:
        """The protocol as JSON holds it."""
        return asdict(self) | {"versions": dict(self.versions)}

    def text(self) -> str:
        """The protocol in one line, for an artifact's card."""
        return "; ".join(f"{name} {_plain(value)}" for name, value in self.plain().items())


class Measured(NamedTuple):
    """A number with its uncertainty and its protocol: the only thing a report prints."""

    score: str
    """Name of the score."""
    interval: Interval
    protocol: Protocol
    trained_with: bool = False
    """Whether the model was trained to do well in this very score."""
    akin: bool = False
    """Whether it was trained to do well in the same score through a pupil, or the teacher, of the judge's network."""

    def printed(self, digits: int = 3) -> str:
        """The number as a table shows it: value, interval, and a mark where it was trained with, or nearly so."""
        value, low, high = self.interval
        if value != value:
            return "n/a"
        bounds = "" if low == high else f" [{low:.{digits}f}, {high:.{digits}f}]"
        return f"{value:.{digits}f}{bounds}{self._mark()}"

    def _mark(self) -> str:
        return " ‡" if self.trained_with else " §" if self.akin else ""


def _plain(value: Any) -> str:
    return " ".join(f"{key} {entry}" for key, entry in value.items()) if isinstance(value, dict) else str(value)
