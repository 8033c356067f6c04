"""One picture's way through a network: whole if memory allows, else in strips, with the same result."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ganstyle.backends.model import style_number
from ganstyle.backends.padding import grown_sides
from ganstyle.nn.blocks import drawing
from ganstyle.nn.norms import Style
from ganstyle.stylize.budget import plan
from ganstyle.stylize.flow import flow
from ganstyle.stylize.maps import Map
from ganstyle.stylize.memory import Announce, Plan, silent
from ganstyle.stylize.sources import Cropped, Given, Grown
from ganstyle.stylize.store import Ledger, Storeroom
from ganstyle.stylize.windows import Windowed


class Painted(NamedTuple):
    """A network's picture, and the room to read it in."""

    picture: Map
    room: Storeroom


@dataclass(frozen=True)
class Engine:
    """A network and what it may take."""

    network: nn.Module
    memory: int | None = None
    """Bytes, on top of the program and the pictures; by default a quarter of what is free."""
    announce: Announce = silent

    @property
    def kind(self) -> Tensor:
        """A tensor of the kind and on the device of the network's."""
        return next(self.network.parameters()).new_empty(0)

    def plan(self, rows: int, columns: int, style: Style | None = None) -> Plan:
        """Say how a picture of this size will go through. Raises BudgetError or RoomError when it cannot."""
        return plan(self.network, rows, columns, memory=self.memory, style=style)

    def restyle(self, photo: Map, *, style: Style | None = None, seed: int = 0) -> "Painted":
        """Return the network's picture of a photograph in [-1, 1], in its size.

        `photo` is of the network's kind. The last layer is computed when the result is read, the others at once.
        """
        _, rows, columns = photo.shape
        grown = Grown(photo, *grown_sides(rows, columns, int(self.network.size_multiple)))  # type: ignore[arg-type]
        found = self.plan(rows, columns, style)
        progress = self.announce(found)
        room = Storeroom(self.kind, found.strip, Ledger(found.memory - found.strip), progress)
        with torch.inference_mode():
            if found.window is not None:
                numbers = found.strip / self.kind.element_size()
                row = found.products / found.window.growth / rows
                painted: Map = Windowed(self.network, grown, found.window, numbers, row, style)
            elif found.in_strips or drawing(self.network):
                painted = flow(self.network, grown, room, style=style, seed=seed)
            else:
                painted = Given(self._at_once(grown, style))
                progress(found.products)
        return Painted(Cropped(painted, rows, columns), room)

    def _at_once(self, grown: Map, style: Style | None) -> Tensor:
        image = grown.read(0, grown.shape.rows)[None]
        painted: Tensor = self.network(image) if style is None else self.network(image, style)
        return painted[0]


def style_of(network: nn.Module, names: tuple[str, ...], style: int | str | None) -> Style | None:
    """Find a style by its number or its name. Raises ShapeError, in one sentence, for one that is not there."""
    number = style_number(int(getattr(network, "styles", 0)), names, style)
    return None if number is None else torch.tensor([number])
