"""A report as one HTML file that opens from disk: styles and pictures are inside, nothing is fetched."""

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

from PIL import Image as Pillow

from ganstyle.metrics.tables import Table

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2328; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.verdict { font-size: 1.1rem; font-weight: 600; border-left: 4px solid #c2410c; padding-left: .8rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { border-bottom: 1px solid #d8dee4; padding: .3rem .7rem; text-align: left; white-space: nowrap; }
table.protocol td { white-space: normal; overflow-wrap: anywhere; }
tr.model td { background: #fff4ed; font-weight: 600; } li, p.about { color: #57606a; }
figure { margin: 1rem 0; } img { max-width: 100%; height: auto; }
"""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Keeps a browser from fetching anything, whatever a file name may say."""


def page(
    title: str,
    opening: Sequence[str],
    notes: Sequence[str],
    found: Sequence[Table],
    figures: Sequence[Path],
    models: Sequence[str],
    curves: Sequence[Path] = (),
) -> str:
    """Lay a report out: verdict, plane, tables, comparison grids, curves of the training.

    Args:
        title: the heading.
        opening: the first sentence, then what explains it.
        notes: what a reader has to know beside the numbers.
        found: the tables, the protocol last.
        figures: picture files, the plane first.
        models: rows to be shown in color.
        curves: picture files of the runs that trained the models.
    """
    first, *others = opening
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="verdict">{escape(first)}</p>',
        *(f"<p>{escape(sentence)}</p>" for sentence in others),
        *(_figure(path) for path in figures[:1]),
        *(_table(table, models) for table in found[:-1]),
        _notes(notes),
        "<h2>Pictures</h2>",
        *(_figure(path) for path in figures[1:]),
        *(["<h2>Training</h2>"] if curves else []),
        *(_figure(path) for path in curves),
        *(_table(table, models, kind="protocol") for table in found[-1:]),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{STYLE}</style></head>\n<body>\n'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _table(table: Table, models: Sequence[str], kind: str = "scores") -> str:
    about = "".join(f'<p class="about">{escape(sentence)}</p>' for sentence in table.about)
    head = "".join(f"<th>{escape(word)}</th>" for word in table.header)
    rows = "".join(_row(row, models) for row in table.rows)
    return (
        f'<h2>{escape(table.title)}</h2>{about}<div class="wide"><table class="{kind}">'
        f"<tr>{head}</tr>{rows}</table></div>"
    )


def _row(row: Sequence[str], models: Sequence[str]) -> str:
    model = any(row[0] == name or row[0].startswith(f"{name} †") for name in models)
    cells = "".join(f"<td>{escape(word)}</td>" for word in row)
    return f'<tr class="model">{cells}</tr>' if model else f"<tr>{cells}</tr>"


def _notes(notes: Sequence[str]) -> str:
    return f"<h2>Notes</h2><ul>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ul>" if notes else ""


def _figure(path: Path) -> str:
    return f'<figure><img alt="{escape(path.stem)}" src="data:image/webp;base64,{_inlined(path)}"></figure>'


def _inlined(path: Path) -> str:
    """A picture's bytes as text, a tenth of a PNG's."""
    buffer = io.BytesIO()
    with Pillow.open(path) as picture:
        picture.convert("RGB").save(buffer, "WEBP", quality=88)
    return base64.b64encode(buffer.getvalue()).decode()
