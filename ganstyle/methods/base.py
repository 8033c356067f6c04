"""What a method is: a game between players, in plain PyTorch."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from torch import nn

from ganstyle.methods.memory import Memory
from ganstyle.methods.pool import ImagePool
from ganstyle.types import Batch, Losses, Scalar
from ganstyle.values import one_of

Outputs = TypeVar("Outputs")
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Player(NamedTuple):
    """One side of the game: the network it moves and what it minimises."""

    name: str
    """The key in the YAML's weights and optimizers."""
    network: nn.Module
    """What its optimizer moves; a ModuleDict where there are several networks."""
    losses: Callable[[Any], Losses]
    """outputs -> unweighted terms, exactly the names in `terms`."""
    terms: tuple[str, ...]
    """The names of the terms in `losses`, known before the first batch."""
    penalties: Mapping[str, Callable[[Any], Scalar]] = NOTHING
    """Further terms that need gradients on inputs; may be lazy, and are skipped in validation."""
    every: int = 1
    """The player moves on every n-th batch (WGAN's n_critic)."""


def check_switches(**switches: object) -> None:
    """Refuse what is neither true nor false, by the names of keys of `system.method`; a quoted no would be true."""
    for name, value in switches.items():
        one_of(f"system.method.{name}", value, (True, False))


class Method(nn.Module, Generic[Outputs]):
    """One paper: its networks, and what each player of the game minimises.

    `forward(batch)` returns a frozen dataclass of outputs; its image fields are the columns of the sample grid.
    """

    @property
    @abstractmethod
    def players(self) -> Sequence[Player]:
        """The players, in the order in which they move."""

    @property
    @abstractmethod
    def generators(self) -> Mapping[str, nn.Module]:
        """The networks a user keeps, by name: EMA, samples and artifacts hold exactly these."""

    @property
    def pools(self) -> Mapping[str, ImagePool]:
        """Histories of generated images, by the field of the outputs that each one replaces in training."""
        return NOTHING

    @property
    def memories(self) -> Mapping[str, Memory]:
        """What else is kept from batch to batch, by name; saved with the run, for each rank its own."""
        return NOTHING

    @property
    def needs_pairs(self) -> bool:
        """Whether source and target of an example have to show the same."""
        return False

    @property
    def least_batch(self) -> int:
        """Images on one device below which the losses lose their sense."""
        return 1

    @property
    def replayable(self) -> bool:
        """Whether every training step from now on does the same operations, and draws nothing on the host.

        Then a GPU may record them once and repeat them (CUDA graphs).
        """
        return False

    @abstractmethod
    def forward(self, batch: Batch) -> Outputs:
        """Run the generators once on a batch; every player judges what comes out."""
