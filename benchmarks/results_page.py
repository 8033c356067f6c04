"""Put what evaluations found into docs/results.md: `python -m benchmarks.results_page`.

A section of that page has hand-written words and one block between two comments, which this writes anew from the file
that the comment names in benchmarks/results: verdict, tables with 95 % intervals, notes, protocol. A new evaluation is
taken over by

python -m benchmarks.results_page --take NAME REPORT --command 'ganstyle evaluate ...'

which keeps REPORT/metrics.json as benchmarks/results/evaluate_NAME.json, the command as a reader would type it with it.
"""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganstyle.metrics.intervals import Interval
from ganstyle.metrics.protocol import Measured, Protocol
from ganstyle.metrics.tables import ARROWS, score_of

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE, RESULTS = REPOSITORY / "docs" / "results.md", REPOSITORY / "benchmarks" / "results"
BLOCK = re.compile(r"<!-- from (evaluate_\w+)\.json -->\n.*?<!-- to here -->", re.DOTALL)
SIDES = {
    "content": "Content side",
    "style": "Style side",
    "distribution": "Distribution side",
    "paired": "Beside the targets",
    "known_answer": "Beside the known answer",
}
LEGEND = {
    "†": "† fewer than 50 photographs or paintings.",
    "‡": "‡ trained with, so it takes no part in the headline.",
    "§": "§ trained with as a pupil, or the teacher, of the network that judges sees it.",
}
Found = dict[str, Any]


def main() -> None:
    """Take a report over, where asked, and write every block of the page anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--take", nargs=2, metavar=("NAME", "REPORT"), help="keep REPORT/metrics.json under this name")
    parser.add_argument("--command", help="what made the report, with PATH for folders of data")
    arguments = parser.parse_args()
    if arguments.take:
        take(arguments.take[0], Path(arguments.take[1]), arguments.command or parser.error("--take needs --command."))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), RESULTS), encoding="utf-8")


def take(name: str, report: Path, command: str) -> None:
    """Keep what an evaluation found beside the command that made it."""
    found = json.loads((report / "metrics.json").read_text(encoding="utf-8")) | {"command": command}
    text = json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False)
    (RESULTS / f"evaluate_{name}.json").write_text(text + "\n", encoding="utf-8")


def filled(page: str, results: Path) -> str:
    """Write every block of a page anew, and leave the words between them alone."""

    def written(block: re.Match[str]) -> str:
        name = block[1]
        found = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
        return f"<!-- from {name}.json -->\n{section(found, name)}\n<!-- to here -->"

    return BLOCK.sub(written, page)


def section(found: Found, name: str) -> str:
    """Lay out one evaluation: command, verdict, tables, notes, protocol."""
    verdict, *others = found["opening"]
    tables = [text for text in (_plane(found), *(_side(found, side) for side in SIDES)) if text]
    marks = [told for mark, told in LEGEND.items() if any(mark in table for table in tables)]
    return "\n\n".join(
        [
            f"```\n{found['command']}\n```",
            f"> {verdict}",
            f"{' '.join(others)} ([{name}.json](../benchmarks/results/{name}.json))",
            *tables,
            "\n".join(f"* {told}" for told in (*marks, *found["notes"])),
            _protocol(Protocol(**_taken(found["protocol"]))),
        ]
    )


def _plane(found: Found) -> str:
    """The two sides and the height above recoloring."""
    gains = {name: headline["gain"] for name, headline in found["headlines"].items()}
    rows = [
        [_name(row), _signed(row["content"]), _signed(row["style"]), _signed(gains.get(row["name"]), "+")]
        for row in _rows(found)
    ]
    return _table("Both sides", ["row", "content kept", "style reached", "gain over recoloring"], rows)


def _side(found: Found, side: str) -> str:
    """The scores of one side, or nothing where there are none."""
    rows = _rows(found)
    names = [name for name in dict.fromkeys(n for row in rows for n in row["scores"]) if score_of(name).side == side]
    header = ["row", *(f"{name} {ARROWS[score_of(name).better]}" for name in names)]
    return (
        _table(SIDES[side], header, [[_name(row), *(_cell(row, name) for name in names)] for row in rows])
        if names
        else ""
    )


def _rows(found: Found) -> list[Found]:
    """The models and the baselines; the rest of the recoloring curve is left to the report."""
    return [row for row in found["rows"] if row["kind"] != "recoloring"]


def _cell(row: Found, name: str) -> str:
    """A score as a report prints it: with its interval, its marks and, behind it, its protocol."""
    if name not in row["scores"]:
        return ""
    told = row["scores"][name]
    protocol = Protocol(**_taken(row["protocol"]))
    return Measured(name, _interval(told), protocol, told["trained_with"], told.get("akin", False)).printed(3)


def _interval(told: Found) -> Interval:
    """Take an interval; what JSON could not hold is no number here."""
    return Interval(*(float("nan") if told[end] is None else told[end] for end in Interval._fields))


def _signed(told: Found | None, sign: str = "") -> str:
    if told is None:
        return ""
    value, low, high = _interval(told)
    return f"{value:{sign}.2f}" + ("" if low == high else f" [{low:{sign}.2f}, {high:{sign}.2f}]")


def _name(row: Found) -> str:
    return f"{row['name']} {row['mark']}".strip()


def _taken(plain: Found) -> Found:
    return {**plain, "versions": tuple(plain["versions"].items())}


def _protocol(protocol: Protocol) -> str:
    versions = dict(protocol.versions)
    return (
        f"Judged through {protocol.features} ({protocol.features_sha256[:12]}) at {protocol.size} px; weights: "
        f"{protocol.weights}, dropout: {protocol.dropout}, {protocol.normalization}; seed {protocol.seed}, commit "
        f"{protocol.commit}, torch {versions.get('torch', 'unknown')}; the whole protocol is in the file."
    )


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return f"{title}:\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
