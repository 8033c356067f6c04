"""A name for what goes wrong, with its evidence."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """Something that the watch sees."""

    name: str
    """For example `mode-collapse`."""
    images_seen: int
    values: Mapping[str, float]
    """What was measured."""
    thresholds: Mapping[str, float]
    """What it was compared with, under the names of the thresholds in conf; nothing for what is no number."""
    advice: str
    """What to do, in one sentence."""

    def told(self) -> str:
        """Return one line for the log."""
        values = ", ".join(f"{name} {value:.3g}" for name, value in self.values.items())
        limits = ", ".join(f"{name} {value:.3g}" for name, value in self.thresholds.items())
        against = f" against {limits}" if limits else ""
        evidence = f" ({values}{against})" if values else ""
        return f"{self.name} at {self.images_seen} images{evidence}: {self.advice}"

    def plain(self) -> dict[str, Any]:
        """Return everything as JSON knows it: what is no number becomes a word, `nan`, `inf` or `-inf`."""
        values = {name: value if math.isfinite(value) else str(value) for name, value in self.values.items()}
        return asdict(self) | {"values": values}
