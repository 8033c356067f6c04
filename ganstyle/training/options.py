"""The budget and the machine of a run, as `conf/trainer` states them."""

from dataclasses import dataclass
from typing import Literal

import torch

from ganstyle.errors import ConfigError
from ganstyle.values import INFINITE, one_of, whole

PRECISIONS = ("auto", "32", "bf16-mixed")
CHOICES: dict[str, tuple[object, ...]] = {
    "accelerator": ("auto", "cpu", "gpu", "cuda", "mps"),
    "memory_format": ("auto", "channels_last", "contiguous"),
    "compile": ("auto", True, False),
    "fused": ("auto", True, False),
    "graphs": (True, False),
}
Switch = Literal["auto"] | bool


@dataclass(frozen=True)
class Options:
    """How long a run is and what it runs on.

    `auto` switches take what measured fastest on the device (the figures are in docs/guides/training.md).
    """

    max_images: int | None
    """Images of the whole run, over all ranks; wins over `max_epochs`."""
    max_epochs: int | float | None
    """Epochs of the whole run; one epoch of two unequal collections is the longer one."""
    batch_size: int
    """Images per batch and device."""
    workers: int
    """Processes that load pictures, per device; 0 loads in the training process."""
    accelerator: str
    devices: int
    nodes: int
    precision: int | str
    """32, bf16-mixed or auto."""
    memory_format: Literal["auto", "channels_last", "contiguous"]
    compile: Switch
    fused: Switch
    graphs: bool
    """Whether a step is launched as CUDA graphs, where there is a CUDA device."""
    log_every: int
    """Batches between two rows of losses."""

    def __post_init__(self) -> None:
        for name in ("batch_size", "devices", "nodes", "log_every"):
            whole(f"trainer.{name}", getattr(self, name), least=1)
        whole("trainer.workers", self.workers, least=0)
        for name, known in CHOICES.items():
            one_of(f"trainer.{name}", getattr(self, name), known)
        if self.precision == "16-mixed":
            raise ConfigError(
                "trainer.precision=16-mixed is not offered: one gradient scaler for two players scales one of them "
                "wrongly after an overflow; use bf16-mixed, which needs none, or 32."
            )
        one_of("trainer.precision", str(self.precision), PRECISIONS)
        self._check_end()
        self._check_device()

    def _check_end(self) -> None:
        if self.max_images is not None:
            whole("trainer.max_images", self.max_images, least=1)
        elif self.max_epochs is None:
            raise ConfigError("a run needs an end; set trainer.max_images or trainer.max_epochs.")
        elif (
            isinstance(self.max_epochs, bool)
            or not isinstance(self.max_epochs, int | float)
            or not 0 < self.max_epochs < INFINITE
        ):
            raise ConfigError(f"trainer.max_epochs must be a number above 0, but got {self.max_epochs!r}.")

    def _check_device(self) -> None:
        there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        asked = {"gpu": "cuda"}.get(self.accelerator, self.accelerator)
        if not there.get(asked, True):
            raise ConfigError(
                f"trainer.accelerator={self.accelerator}, but PyTorch finds no such device here; take cpu or auto."
            )
        found = torch.cuda.device_count()
        if self.device_type() == "cuda" and self.devices > found:
            raise ConfigError(
                f"trainer.devices={self.devices}, but the GPUs that PyTorch finds here are {found}; take fewer, or "
                "let every process see all of its node's GPUs "
                f"(SLURM: --gpus-per-node={self.devices}, no --gpus-per-task)."
            )

    @property
    def ranks(self) -> int:
        """Processes that train together."""
        return self.devices * self.nodes

    def total_images(self, epoch: int) -> int:
        """Return the images of the whole run, given those of one epoch; a multiple of the ranks."""
        if self.max_images is not None:
            if self.max_images % self.ranks:
                raise ConfigError(
                    f"trainer.max_images={self.max_images} cannot be shared out evenly over {self.ranks} devices; "
                    f"take {self.max_images // self.ranks * self.ranks or self.ranks}."
                )
            return self.max_images
        assert self.max_epochs is not None
        images = round(self.max_epochs * epoch)
        if images < self.ranks:
            raise ConfigError(f"trainer.max_epochs={self.max_epochs} of {epoch} images leaves nothing to train on.")
        return images - images % self.ranks

    def shared(self, total: int) -> int:
        """Return the images that a resumed run was begun for; raises ConfigError where they cannot be shared out."""
        if total % self.ranks:
            raise ConfigError(
                f"this run was begun for {total} images, which cannot be shared out evenly over {self.ranks} devices; "
                "resume it on a number of them that divides it."
            )
        return total

    def device_type(self) -> str:
        """Return the kind of device that `accelerator` means here: cuda, mps or cpu."""
        if self.accelerator in ("cpu", "mps"):
            return self.accelerator
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if self.accelerator == "auto" and torch.backends.mps.is_available() else "cpu"

    def resolved_precision(self) -> str:
        """Return bf16-mixed where the processor multiplies bf16 natively and `auto` leaves the choice, else 32."""
        if self.precision != "auto":
            return str(self.precision)
        return "bf16-mixed" if _has_bf16(self.device_type()) else "32"

    def uses_channels_last(self) -> bool:
        """Whether images and weights lie channels last: on CUDA unless told otherwise (a CPU hardly cares)."""
        return self.memory_format == "channels_last" or (self.memory_format == "auto" and self.device_type() == "cuda")

    def compiles(self) -> bool:
        """Whether sub-networks are compiled: on CUDA unless told otherwise (on a CPU it is slower)."""
        return self.device_type() == "cuda" if self.compile == "auto" else bool(self.compile)

    def fuses(self) -> bool:
        """Whether optimizers run fused: wherever PyTorch offers it, unless told otherwise."""
        return self.device_type() in ("cuda", "cpu") if self.fused == "auto" else bool(self.fused)

    def replays(self) -> bool:
        """Whether a step is recorded as CUDA graphs and launched whole: where that is asked for, on CUDA."""
        return self.graphs and self.device_type() == "cuda"


def _has_bf16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
