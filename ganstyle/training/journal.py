"""Running means of the losses, kept on the device and brought to the host only when they are read."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ganstyle.training.collapse import NonFiniteError
from ganstyle.training.distributed import sum_over_ranks


class Journal:
    """Sums of loss terms since they were last read.

    A non-finite term stays non-finite in its sum, so one look at the sums catches every bad step between two looks.
    """

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add the scalars of one step."""
        for name, value in values.items():
            value = value.detach().to(torch.float32 if value.device.type == "mps" else torch.float64)
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1

    def means(self) -> dict[str, float]:
        """Return the mean of every term over its steps and all ranks, and start afresh.

        Raises:
            NonFiniteError: a term was not finite at some step.
        """
        names = sorted(self._sums)
        if not names:
            return {}
        sums = sum_over_ranks(torch.stack([self._sums[name] for name in names]))
        counts = sum_over_ranks(torch.tensor([float(self._counts[name]) for name in names], device=sums.device))
        means = dict(zip(names, (sums / counts).tolist(), strict=True))
        self._sums, self._counts = {}, {}
        refuse_non_finite(means)
        return means

    def check(self) -> None:
        """Look at the sums without resetting them.

        Raises:
            NonFiniteError: a term was not finite at some step.
        """
        names = sorted(self._sums)
        if names:
            sums = sum_over_ranks(torch.stack([self._sums[name] for name in names]))
            refuse_non_finite(dict(zip(names, sums.tolist(), strict=True)))


def refuse_non_finite(values: Mapping[str, float]) -> None:
    """Stop a run whose loss is no longer a number, naming the terms."""
    bad = {name.removeprefix("train/"): value for name, value in values.items() if not math.isfinite(value)}
    if bad:
        raise NonFiniteError(
            f"the loss {' and '.join(bad)} is not finite; the last good checkpoint is kept: "
            "lower the learning rate or that term's weight, or train with trainer.precision=32.",
            bad,
        )
