"""Who may look on while a system trains."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import nn

from ganstyle.types import Batch, Losses


@runtime_checkable
class Witness(Protocol):
    """Is shown what every training step has, and changes nothing: no value, no gradient, no random number."""

    def outputs(self, batch: Batch, outputs: Any) -> None:
        """See a batch and what the method made of it."""

    def losses(self, player: str, losses: Losses) -> None:
        """See a player's unweighted terms."""

    def gradients(self, player: str, parameters: Sequence[nn.Parameter]) -> None:
        """See what a player is about to step with, before clipping; a missing gradient counts as zero."""

    def finished(self, images_seen: int) -> None:
        """Be told that the batch is over."""

    def state_dict(self) -> dict[str, Any]:
        """Return what this rank's witness remembers, as plain values and tensors on the CPU."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on as the witness that returned this state."""


class Nobody:
    """Looks away."""

    def outputs(self, batch: Batch, outputs: Any) -> None:
        """See nothing."""

    def losses(self, player: str, losses: Losses) -> None:
        """See nothing."""

    def gradients(self, player: str, parameters: Sequence[nn.Parameter]) -> None:
        """See nothing."""

    def finished(self, images_seen: int) -> None:
        """Do nothing."""

    def state_dict(self) -> dict[str, Any]:
        """Remember nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Forget what another witness remembered."""
