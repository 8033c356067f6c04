"""An exported model in the place of a network: it paints whole pictures, and PyTorch finishes them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganstyle.backends.model import Model
from ganstyle.nn.norms import Style
from ganstyle.stylize.engine import Painted
from ganstyle.stylize.maps import Map
from ganstyle.stylize.memory import SHARE, free_memory, require_whole
from ganstyle.stylize.sources import Given
from ganstyle.stylize.store import Ledger, Storeroom

STRIP = 100_000_000
"""Bytes that finishing one strip may take."""


@dataclass(frozen=True)
class Exported:
    """An exported model and what it may take."""

    model: Model
    memory: int | None = None
    """Bytes; by default a quarter of what is free."""

    @property
    def kind(self) -> Tensor:
        """A tensor of the kind of the model's images."""
        return torch.empty(0)

    def restyle(self, photo: Map, *, style: Style | None = None, seed: int = 0) -> Painted:
        """Return the model's picture of a photograph in [-1, 1], in its size; exports draw nothing from the seed.

        Raises BudgetError when the picture does not fit into the memory as a whole.
        """
        _, rows, columns = photo.shape
        memory = free_memory() // SHARE if self.memory is None else self.memory
        require_whole(self.model, rows, columns, memory)
        number = None if style is None else int(style[0])
        picture = self.model.restyle(photo.read(0, rows).numpy(), number)
        room = Storeroom(self.kind, STRIP, Ledger(memory))
        return Painted(Given(torch.from_numpy(picture)), room)
