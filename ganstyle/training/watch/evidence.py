"""What the watch knows of a stretch of training, as plain numbers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Evidence:
    """Means over the readings between two looks; None for what could not be measured.

    Distances are between sketches of pictures (see `sketch`), accuracies are shares of logits in [0, 1].
    """

    images_seen: int
    losses: Mapping[str, float]
    """Unweighted terms by `player/term`."""
    gradients: Mapping[str, float]
    """The norm of each player's gradient."""
    steepest: Mapping[str, float]
    """The greatest such norm among the readings."""
    weights: Mapping[str, float]
    """The norm of each player's weights at the look."""
    real: float | None = None
    """How many logits of training targets say "real"."""
    fake: float | None = None
    """How many logits of generated images say "fake"."""
    surprise: float | None = None
    """The discriminator's loss over its loss when it cannot tell: 0 where it is sure and right, 1 for a guess."""
    logits: Mapping[str, float] = field(default_factory=dict)
    """The discriminator's mean logit for training targets (`real`), generated images (`fake`), `held_out` targets."""
    contrast: float | None = None
    """Standard deviation over the pixels of a generated image, over that of the targets'."""
    low: float | None = None
    """The least value of generated images."""
    high: float | None = None
    """The greatest value of generated images."""
    change: float | None = None
    """Mean absolute difference between source and generated image, over the sources' standard deviation."""
    rank: float | None = None
    """Effective rank of generated images' sketches, over that of the targets'."""
    spread: float | None = None
    """Median distance between a generated image and the next, over that of the targets (see `sketch.spread`)."""
    distinct: float | None = None
    """Share of the targets seen lately that are not seen again among them."""
    nearness: float | None = None
    """Distance of images generated from held-out sources to the nearest training target, over that of held-out
    targets."""

    def plain(self) -> dict[str, Any]:
        """Return everything as numbers and dictionaries, for a checkpoint."""
        return asdict(self)

    def curves(self) -> dict[str, float]:
        """Return what loggers do not have yet, by name."""
        single = {name: value for name, value in self.plain().items() if isinstance(value, float)}
        norms = {f"gradient/{player}": norm for player, norm in self.gradients.items()}
        return {f"health/{name}": value for name, value in (single | norms).items()}
