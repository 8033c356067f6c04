"""What `ganstyle compress --resume` takes over: only what was made as it is asked for now."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganstyle.cli.refusals import UsageError

if TYPE_CHECKING:
    from ganstyle.artifact import Card

DIGITS = 12
"""Of a SHA-256, as many as are shown."""


def refuse_others(folder: Path, asked: Mapping[str, Any]) -> None:
    """Refuse what an earlier compression made in another way.

    Args:
        folder: of an artifact.
        asked: what its card should say, by the words that ask for it.

    Raises:
        UsageError: names every difference.
    """
    from ganstyle.artifact import read_card

    said = _said(read_card(folder))
    others = [f"{name} (was {said.get(name)}, now {value})" for name, value in asked.items() if said.get(name) != value]
    if others:
        raise UsageError(
            f"{folder} was made with other values of {', '.join(others)}; "
            f"give the same, take --force instead of --resume to begin anew, or give another --output."
        )


def shown(sha256: str | None) -> str | None:
    """The beginning of a SHA-256, which is enough to tell weights apart."""
    return sha256 and sha256[:DIGITS]


def network_of(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What there is to compare of a network: its name and its arguments."""
    return {"generator": name, **{f"generator.{key}": value for key, value in arguments.items()}}


def _said(card: "Card") -> dict[str, Any]:
    training, budget = card.training, card.training.get("budget", {})
    return {
        "ARTIFACT": shown(training.get("teacher", {}).get("weights_sha256")),
        "--target": training.get("target"),
        "--data": card.data.get("name"),
        "--images": budget.get("student"),
        "--recovery": budget.get("recovery"),
        "--prune": training.get("prune"),
        "student": shown(training.get("student_sha256")),
        **network_of(card.network, card.arguments),
    }
