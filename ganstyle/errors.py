"""Every mistake a user can make, as a tree of exceptions whose message is one sentence."""

from collections.abc import Iterable
from difflib import get_close_matches


class GanstyleError(Exception):
    """A mistake of the user; the message says what was wrong, what would be right, and what to do."""


class ConfigError(GanstyleError):
    """A configuration key or value that does not fit."""


class DataError(GanstyleError):
    """A picture, folder or data set that cannot be used."""


class ImageError(DataError):
    """A picture file that cannot be read or written."""


class UnreachableError(ImageError):
    """A picture whose disk or server does not answer now: it may be there and whole."""


class ShapeError(GanstyleError):
    """A tensor whose shape a network or loss cannot take."""


class WeightsError(GanstyleError):
    """A weights file that is missing, damaged or does not fit."""


class ArtifactError(GanstyleError):
    """An artifact that is missing, damaged or not what its card says."""


class CheckpointError(GanstyleError):
    """A checkpoint or run folder that cannot be resumed."""


class TrainingError(GanstyleError):
    """A run that cannot go on."""


class FetchError(GanstyleError):
    """A download that did not arrive whole."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Say which known name is nearest to a wrong one: "; did you mean 'lsgan'?" or, if none is near, what there is."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there is {', '.join(names)}."


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Word the message for a name that is not known, e.g. "unknown adversarial game 'lsgam'; did you mean 'lsgan'?"."""
    return f"unknown {kind} {name!r}{suggestion(name, known)}"
