"""Batches from examples: the training images are numbered, and a loader is told at which number to begin."""

import signal
from collections.abc import Iterator, Mapping
from typing import Any, cast

import torch
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader, Dataset, Sampler

from ganstyle.data.problem import Example, Examples, InBytes, Problem, scaled
from ganstyle.training.distributed import rank, world_size
from ganstyle.training.owned import SIGNALS


class Numbers(Sampler[list[int]]):
    """The numbers of the images that one rank takes, batch by batch, from `start` to `stop`.

    Batch k of all ranks together is the k-th run of consecutive numbers, so two ranks see what one rank with the
    doubled batch would see; the last batch is as small as it must be for the run to end exactly at `stop`.
    """

    def __init__(self, start: int, stop: int, batch_size: int, *, rank: int = 0, ranks: int = 1) -> None:
        self.start, self.stop, self.batch_size, self.rank, self.ranks = start, stop, batch_size, rank, ranks

    def __iter__(self) -> Iterator[list[int]]:
        for first in range(self.start, self.stop, self.batch_size * self.ranks):
            share = min(self.batch_size, (self.stop - first) // self.ranks)
            begin = first + self.rank * share
            yield list(range(begin, begin + share))

    def __len__(self) -> int:
        return -(-(self.stop - self.start) // (self.batch_size * self.ranks))


class Loaders(LightningDataModule):
    """Builds the training loader once the ranks exist, starting after the images already seen."""

    def __init__(self, problem: Problem, *, start: int, stop: int, batch_size: int, workers: int) -> None:
        super().__init__()
        self.problem, self.start, self.stop = problem, start, stop
        self.batch_size, self.workers = batch_size, workers

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the batches from `start` to `stop`."""
        numbers = Numbers(self.start, self.stop, self.batch_size, rank=rank(), ranks=world_size())
        return DataLoader(
            Loaded(self.problem.train),
            batch_sampler=numbers,
            num_workers=self.workers,
            worker_init_fn=leave_signals,
            pin_memory=torch.cuda.is_available(),
            generator=torch.Generator(),
        )

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Lightning's hook for `to_device`."""
        return to_device(batch, device)


class Loaded(Dataset[Any]):
    """The training images as they travel: as bytes, where the examples can be had so."""

    def __init__(self, examples: Examples) -> None:
        self._load = examples.in_bytes if isinstance(examples, InBytes) else examples.__getitem__

    def __getitem__(self, number: int) -> Example:
        return self._load(number)


def to_device(batch: Mapping[str, Any], device: torch.device) -> Any:
    """Bring the images to the device, and bytes to [-1, 1] there.

    The seeds stay on the CPU, where they are read: a GPU would have to wait.
    """
    moved = {key: value if key == "seed" else value.to(device, non_blocking=True) for key, value in batch.items()}
    return scaled(cast(Example, moved))


def leave_signals(worker: int) -> None:
    """Let a worker outlive the signals that a terminal or SLURM sends to all processes: the run finishes its batch."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def batches(examples: Examples, batch_size: int) -> Iterator[Any]:
    """Yield this rank's share of a finite set, in order, without padding: every example is seen by exactly one rank."""
    own = range(rank(), len(examples), world_size())
    yield from DataLoader(
        examples,  # type: ignore[arg-type]
        batch_size=batch_size,
        sampler=list(own),
        generator=torch.Generator(),
    )
