"""What a method remembers of earlier batches, so that a small batch is compared with more than a small batch."""

import torch
from torch import Tensor

from ganstyle.errors import ConfigError
from ganstyle.types import Features


class Memory:
    """Keep the last rows of some tensors, by name: a queue, without gradients.

    Source: He et al. 2020 (MoCo), section 3.2, a queue of encoded samples that is larger than a batch.
    """

    def __init__(self, size: int) -> None:
        if isinstance(size, bool) or size < 0:
            raise ConfigError(f"a memory holds 0 pictures (off) or more, but got {size!r}.")
        self.size = size
        self.rows: dict[str, Tensor] = {}

    def recall(self, name: str, like: Features) -> Features | None:
        """Return a copy of what is kept under a name, on the device of `like`; None where there is nothing."""
        there = {key: rows for key, rows in like.items() if f"{name}/{key}" in self.rows}
        return {key: self.rows[f"{name}/{key}"].to(rows, copy=True) for key, rows in there.items()} or None

    @property
    def is_full(self) -> bool:
        """Whether as many rows are kept as can be: from then on they change their values only."""
        return all(len(rows) == self.size for rows in self.rows.values()) and (self.size == 0 or bool(self.rows))

    def keep(self, name: str, newcomers: Features) -> None:
        """Add one row for each picture of a batch; the oldest beyond the size are forgotten."""
        for key, rows in newcomers.items() if self.size else ():
            older = self.rows.get(f"{name}/{key}", rows.new_empty(0, *rows.shape[1:]))
            kept = torch.cat([older.to(rows), rows.detach()])[-self.size :]
            if len(older) == len(kept) and older.device == kept.device:
                older.copy_(kept)
            else:
                self.rows[f"{name}/{key}"] = kept

    def state_dict(self) -> dict[str, Tensor]:
        """Return a copy of all rows, on the CPU."""
        return {name: rows.cpu().clone() for name, rows in self.rows.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Continue exactly where the memory was that returned this state."""
        self.rows = {name: rows.clone() for name, rows in state.items()}
