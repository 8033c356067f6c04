"""The tables of a report: every number in them comes with its protocol, as `Measured`."""

from collections.abc import Sequence
from typing import NamedTuple

from ganstyle.metrics.intervals import Interval
from ganstyle.metrics.protocol import Protocol
from ganstyle.metrics.results import Line, Report
from ganstyle.metrics.scores import SCORES, Score

TITLES = {
    "content": "Content side: is the photograph still there?",
    "style": "Style side: how far is it to the collection?",
    "distribution": "Distribution side: do the results belong to the collection?",
    "paired": "Beside the target of each pair",
    "known_answer": "Beside the known answer",
}
ARROWS = {"higher": "↑", "lower": "↓"}


class Table(NamedTuple):
    """Words in rows and columns."""

    title: str
    about: tuple[str, ...]
    """Sentences that go before it."""
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(report: Report) -> list[Table]:
    """The plane, one table for each side that was measured, the paired differences, and the protocol."""
    names = list(dict.fromkeys(name for line in report.lines for name in line.scores))
    sides = [_side(report, side, [name for name in names if score_of(name).side == side]) for side in TITLES]
    return [_plane(report), *(table for table in sides if table.header[1:]), *_differences(report), _protocol(report)]


def score_of(name: str) -> Score:
    """Look a score up by its name, whatever feature network stands in brackets behind it."""
    return SCORES[name.partition("[")[0]]


def _plane(report: Report) -> Table:
    gains = {name: found.gain for name, found in report.headlines.items()}
    rows = [
        (_name(line), _signed(line.content), _signed(line.style), _signed(gains[line.name], plus=True))
        if line.name in gains
        else (_name(line), _signed(line.content), _signed(line.style), "")
        for line in report.lines
    ]
    about = (
        f"Content kept is the mean of {', '.join(report.content_scores)}: 1 is the untouched photograph, 0 a painting "
        f"that has nothing to do with it.",
        f"Style reached is the mean of {', '.join(report.style_scores)}: 0 is the untouched photograph, 1 a picture of "
        f"the collection.",
        "The gain is the style reached beyond what recoloring reaches at the same content.",
    )
    return Table("Both sides at once", about, ("row", "content kept", "style reached", "gain"), tuple(rows))


def _side(report: Report, side: str, names: Sequence[str]) -> Table:
    header = ("row", *(f"{name} {ARROWS[score_of(name).better]}" for name in names))
    rows = [
        (_name(line), *(line.scores[name].printed() if name in line.scores else "" for name in names))
        for line in report.lines
        if any(name in line.scores for name in names)
    ]
    about = tuple(f"{name}: {score_of(name).meaning}" for name in names)
    return Table(TITLES[side], about, header, tuple(rows))


def _differences(report: Report) -> list[Table]:
    if report.versus is None:
        return []
    first, second = report.versus
    rows = [(found.score, _signed(found.interval, plus=True), _clear(found.interval)) for found in report.differences]
    about = (f"{first} minus {second} on the same pictures, with 95 % intervals of the paired difference.",)
    return [Table(f"{first} against {second}", about, ("score", "difference", "clear of zero"), tuple(rows))]


def _protocol(report: Report) -> Table:
    """Set the protocols of all models side by side."""
    models = {line.name: _entries(protocol_of(line)) for line in report.lines if line.kind == "model"}
    names = next(iter(models.values()))
    rows = [(name.replace("_", " "), *(entries[name] for entries in models.values())) for name in names]
    header = ("", *models) if len(models) > 1 else ("", "")
    return Table("Protocol", ("What every number above depends on.",), header, tuple(rows))


def _entries(protocol: Protocol) -> dict[str, str]:
    plain = protocol.plain()
    versions = " ".join(f"{name} {version}" for name, version in plain.pop("versions").items())
    return {name: str(value) for name, value in {**plain, "versions": versions}.items()}


def protocol_of(line: Line) -> Protocol:
    """The protocol that all scores of a row have in common."""
    return next(iter(line.scores.values())).protocol


def _name(line: Line) -> str:
    """A row's name, marked where there are too few pictures."""
    mark = protocol_of(line).mark()
    return f"{line.name} {mark}".strip()


def _signed(interval: Interval, plus: bool = False) -> str:
    value, low, high = interval
    sign = "+" if plus else ""
    text = f"{value:{sign}.3f}"
    return text if low == high else f"{text} [{low:{sign}.3f}, {high:{sign}.3f}]"


def _clear(interval: Interval) -> str:
    return "yes" if interval.low > 0 or interval.high < 0 else "no"
