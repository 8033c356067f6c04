"""Who may look on while a system trains."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from ganstyle.types import Batch, Losses

Heard = Mapping[str, Sequence[Tensor]]
"""What a pass said on its way: scalars by name."""


@runtime_checkable
class Witness(Protocol):
    """Is shown what every training step has, and changes nothing: no value, no gradient, no random number."""

    def outputs(self, batch: Batch, outputs: Any) -> None:
        """See a batch and what the method made of it."""

    def losses(self, player: str, losses: Losses) -> None:
        """See a player's unweighted terms."""

    def gradients(self, player: str, parameters: Sequence[nn.Parameter]) -> None:
        """See what a player is about to step with, before clipping; a missing gradient counts as zero."""

    def overhearing(self) -> AbstractContextManager[Heard]:
        """Collect what a pass that is recorded says; it is filled once the pass is over."""

    def hear(self, heard: Heard) -> None:
        """Hear again what a recorded pass said, now with this batch's values."""

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

    @contextmanager
    def overhearing(self) -> Iterator[Heard]:
        """Collect nothing."""
        yield {}

    def hear(self, heard: Heard) -> None:
        """Hear nothing."""

    def finished(self, images_seen: int) -> None:
        """Do nothing."""

    def state_dict(self) -> dict[str, Any]:
        """Remember nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Forget what another witness remembered."""
