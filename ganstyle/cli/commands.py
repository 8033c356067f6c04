"""What each command does; what it needs is imported when it runs."""

import json
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ganstyle.cli.refusals import refuse_overwriting

if TYPE_CHECKING:
    from ganstyle.artifact import Card


def info(arguments: Namespace) -> int:
    """Print an artifact's card."""
    from ganstyle.artifact import plain_card, read_card

    card = read_card(arguments.artifact)
    print(json.dumps(plain_card(card), indent=2, ensure_ascii=False) if arguments.json else _legible(card))
    return 0


def fetch(arguments: Namespace) -> int:
    """Bring a public data set, or list them all."""
    from ganstyle.data.catalogue import collection
    from ganstyle.data.fetch import fetch as bring

    if arguments.name is None:
        print(_catalogue())
        return 0
    entry = collection(arguments.name)
    folder = bring(entry, arguments.to)
    print(f"{folder}: {entry.about}. Licence: {entry.licence}.")
    return 0


def doctor(arguments: Namespace) -> int:
    """Examine data sets; 1 when a run on them would fail."""
    from ganstyle.data.doctor import examine

    report = examine(arguments.data)
    print(report.text())
    return 1 if report.failed else 0


def artifact(arguments: Namespace) -> int:
    """Make artifacts from a training checkpoint: one for each generator."""
    from ganstyle.training.export import export_artifact

    refuse_overwriting(arguments.output, force=arguments.force)
    print("\n".join(map(str, export_artifact(arguments.checkpoint, arguments.output))))
    return 0


def _catalogue() -> str:
    """One line for each public data set."""
    from ganstyle.data.catalogue import CATALOGUE

    width = max(map(len, CATALOGUE))
    return "\n".join(
        f"{entry.name:{width}}  {_megabytes(entry.size):>8}  {entry.layout:8}  {entry.about}"
        for entry in CATALOGUE.values()
    )


def _megabytes(size: int | None) -> str:
    return "? MB" if size is None else f"{size / 1e6:.0f} MB"


def _legible(card: "Card") -> str:
    """The card as aligned lines."""
    rows = [
        ("network", f"{card.network} ({_pairs(card.arguments)})"),
        ("takes", f"RGB in {list(card.value_range)}, sides in multiples of {card.size_multiple}"),
        ("styles", ", ".join(card.styles) or "unnamed"),
        *((f"data {name}", _value(value)) for name, value in card.data.items()),
        *((f"training {name}", _value(value)) for name, value in card.training.items()),
        *((f"losses {player}", _pairs(terms)) for player, terms in card.losses.items()),
        *((metric.name, f"{metric.value:g} ({metric.protocol})") for metric in card.metrics),
        ("licence", card.licence),
        ("weights", f"SHA-256 {card.weights_sha256}"),
        ("written", f"{card.created} by ganstyle {card.ganstyle}"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows)


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    """A plain value as a person would write it."""
    if isinstance(value, Mapping):
        return _pairs(value)
    if isinstance(value, list | tuple):
        return " ".join(_value(item) for item in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
