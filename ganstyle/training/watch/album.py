"""The last so many sketches of a kind, kept on the device."""

import torch
from torch import Tensor

from ganstyle.training.watch.sketch import Sketches


class Album:
    """Sketches of the pictures seen lately, the oldest first.

    Args:
        capacity: how many to keep.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._pages: list[Tensor] = []

    def add(self, sketches: Sketches) -> None:
        """Keep more, and let the oldest go."""
        self._pages.append(sketches)
        if sum(map(len, self._pages[1:])) >= self.capacity:
            self._pages.pop(0)

    def sketches(self, last: int | None = None) -> Sketches | None:
        """Return what there is, or the last so many, on the CPU; None where there is nothing."""
        if not self._pages:
            return None
        return torch.cat(self._pages)[-min(last or self.capacity, self.capacity) :].cpu()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the sketches on the CPU."""
        return {str(number): page.cpu() for number, page in enumerate(self._pages)}

    def load_state_dict(self, state: dict[str, Tensor], device: torch.device) -> None:
        """Go on with the sketches that were returned."""
        self._pages = [page.to(device) for page in state.values()]
