"""What an exported file says of itself, so that the file alone is enough."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganstyle.card import Card, parsed_card, plain_card
from ganstyle.errors import ArtifactError

KEY = "ganstyle"
"""The name under which a file's metadata holds the label."""
PRECISIONS = ("fp32", "fp16", "bf16", "int8")


@dataclass(frozen=True)
class Label:
    """An exported file's card, and what running it takes."""

    card: Card
    precision: str
    """Of the weights, and of the arithmetic where the backend has it: one of `PRECISIONS`."""
    bytes_per_pixel: float
    """Memory that a whole picture takes on its way through the network, by estimate."""

    def text(self) -> str:
        """Write it as JSON."""
        own = {"precision": self.precision, "bytes_per_pixel": self.bytes_per_pixel, "card": plain_card(self.card)}
        return json.dumps({"ganstyle": "export", **own}, ensure_ascii=False, allow_nan=False)


def label_in(metadata: Mapping[str, str], path: Path) -> Label:
    """Read the label in a file's metadata. Raises ArtifactError when there is none, or it is damaged or too new."""
    if KEY not in metadata:
        raise ArtifactError(f"{path} carries no card; give a file that `ganstyle export` wrote.")
    try:
        values: dict[str, Any] = json.loads(metadata[KEY])
        if values["precision"] not in PRECISIONS:
            raise ValueError(f"precision {values['precision']!r}")
        return Label(parsed_card(values["card"]), values["precision"], float(values["bytes_per_pixel"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"the card in {path} is damaged ({error}); export the artifact again.") from error
