"""The folder that an evaluation leaves: report.md, report.html, metrics.json, per_image.csv, figures and pictures."""

import json
from collections.abc import Sequence
from pathlib import Path

from ganstyle.metrics.comparisons import Comparison, comparisons, keep_pictures
from ganstyle.metrics.curves import draw_curves
from ganstyle.metrics.evidence import Evidence
from ganstyle.metrics.figures import draw
from ganstyle.metrics.html import page
from ganstyle.metrics.results import Report, per_image_csv, plain
from ganstyle.metrics.tables import Table, tables

TRAINING = "training"
"""Folder of a report for the curves of each training run."""
LEGEND = (
    "Intervals are at 95 %. † marks rows with too few pictures, ‡ scores that the model was trained with, § scores "
    "that it was trained with as a pupil, or the teacher, of the network that judges sees them."
)


def write_report(report: Report, evidence: Evidence, folder: Path, runs: Sequence[Path] = ()) -> list[Path]:
    """Write everything into a folder, and return the paths of the two reports.

    What was found comes first: figures are drawn from the saved files, and may be drawn again by `figures.draw`.
    `runs` are folders of the training runs that the judged models came from; their curves are shown, too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chosen = comparisons(report)
    keep_pictures(chosen, evidence, folder)
    _write(folder / "metrics.json", _json(report, chosen))
    _write(folder / "per_image.csv", per_image_csv(report))
    figures = draw(folder)
    places = [folder / TRAINING / f"{number}_{run.name}" for number, run in enumerate(runs, 1)]
    curves = [path for run, place in zip(runs, places, strict=True) for path in draw_curves(run, place)]
    found, notes = tables(report), [LEGEND, *report.notes]
    title = f"How good is {' and '.join(report.models)}?"
    drawn, trained = ([path.relative_to(folder).as_posix() for path in paths] for paths in (figures, curves))
    _write(folder / "report.md", markdown(title, report.opening(), notes, found, drawn, trained))
    _write(folder / "report.html", page(title, report.opening(), notes, found, figures, report.models, curves))
    return [folder / "report.md", folder / "report.html"]


def markdown(
    title: str,
    opening: Sequence[str],
    notes: Sequence[str],
    found: Sequence[Table],
    figures: Sequence[str],
    curves: Sequence[str] = (),
) -> str:
    """Lay a report out in Markdown: verdict, plane, tables, comparison grids, curves of the training, protocol."""
    first, *others = opening
    parts = [
        f"# {title}",
        f"**{first}**",
        *others,
        *(f"![{name}]({name})" for name in figures[:1]),
        *(_table(table) for table in found[:-1]),
        "## Notes\n\n" + "\n".join(f"* {note}" for note in notes),
        "## Pictures",
        *(f"![{name}]({name})" for name in figures[1:]),
        *(["## Training"] if curves else []),
        *(f"![{name}]({name})" for name in curves),
        *(_table(table) for table in found[-1:]),
    ]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    about = "\n".join(f"* {sentence}" for sentence in table.about)
    lines = [table.header, tuple("---" for _ in table.header), *table.rows]
    return f"## {table.title}\n\n{about}\n\n" + "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _json(report: Report, chosen: Sequence[Comparison]) -> str:
    whole = plain(report) | {"comparisons": [one._asdict() for one in chosen]}
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
