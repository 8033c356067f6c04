"""Why a run cannot go on as it is."""

from ganstyle.errors import TrainingError


class NonFiniteError(TrainingError):
    """A loss or a weight is no longer a number."""


class CollapseError(TrainingError):
    """The watch over training saw something that ends the run, or rolls it back."""
