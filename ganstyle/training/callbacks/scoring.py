"""What a callback that judges the run promises."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ganstyle.data.problem import Problem
from ganstyle.training.system import System


@runtime_checkable
class Scoring(Protocol):
    """A callback that puts scores into `system.scores`, under names that are known before the first batch."""

    def score_names(self, system: System, problem: Problem) -> Sequence[str]:
        """Name the scores that a checkpoint or a sweep may be led by."""
