"""Why a run cannot go on as it is."""

from collections.abc import Mapping

from ganstyle.errors import TrainingError


class NonFiniteError(TrainingError):
    """A loss or a weight is no longer a number.

    Args:
        message: the sentence for the user.
        values: what is no number, by name.
    """

    def __init__(self, message: str, values: Mapping[str, float]) -> None:
        super().__init__(message)
        self.values = dict(values)


class CollapseError(TrainingError):
    """The watch over training saw something that ends the run, or rolls it back."""
