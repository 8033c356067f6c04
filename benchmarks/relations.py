"""What must be true of the judge: which row loses or wins against which, and who may get the headline."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Verb = Literal["loses", "gains"]
Side = Literal["content", "style"]


class Relation(NamedTuple):
    """Holds if it does so by every single score of the side."""

    row: str
    verb: Verb
    side: Side
    against: str

    def __str__(self) -> str:
        """Say it as a sentence."""
        return f"{self.row} {self.verb} {self.side} against {self.against}"


RELATIONS = (
    Relation("blurred photographs", "loses", "content", "identity"),
    Relation("noisy photographs", "loses", "content", "identity"),
    Relation("shuffled photographs", "loses", "content", "identity"),
    Relation("style-copy", "loses", "content", "identity"),
    Relation("truth", "gains", "content", "style-copy"),
    Relation("shuffled truth", "loses", "content", "truth"),
    Relation("noisy truth", "loses", "content", "truth"),
    Relation("identity", "loses", "style", "truth"),
    Relation("half strength", "loses", "style", "truth"),
    Relation("half-blend", "loses", "style", "mkl"),
    Relation("mkl to another collection", "loses", "style", "mkl"),
    Relation("another painter", "loses", "style", "truth"),
    Relation("truth", "gains", "style", "mkl"),
    Relation("truth", "gains", "style", "half-blend"),
)

HEADLINES: Mapping[str, bool] = {
    "truth": True,
    "one color": False,
    "pure noise": False,
    "identity": False,
    "style-copy": False,
    "other paintings": False,
    "coin tossed between photograph and painting": False,
    "half-blend": False,
    "mkl": False,
    "mkl with noise": False,
    "mkl to another collection": False,
    "blurred photographs": False,
    "noisy photographs": False,
    "shuffled truth": False,
}
"""Row -> whether it must be found better than recoloring, with an interval clear of zero, or must not."""
