"""Every figure of a report, drawn from the files in its folder."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ganstyle.errors import DataError
from ganstyle.images import read
from ganstyle.metrics.comparisons import RANKS, picture_name
from ganstyle.metrics.evidence import CURVE
from ganstyle.metrics.headline import COPY

PLANE = "plane.png"
DOTS = 130
"""Pixels per inch."""
COLORS = ("#c2410c", "#1d4ed8")
"""Of the models."""
QUIET = "#57606a"
LINE = 14
"""Points from one name to the next."""
Row = Mapping[str, Any]


def draw(report_folder: Path | str) -> list[Path]:
    """Draw the plane and the comparison grids of a report into its folder, and return their paths.

    Raises:
        DataError: there is no report in the folder.
    """
    folder = Path(report_folder)
    found = _saved(folder)
    return [_plane(found, folder / PLANE), *(_grid(one, folder) for one in found["comparisons"])]


def _saved(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{folder} holds no report of `ganstyle evaluate`: metrics.json is missing or damaged."
        ) from error
    return found


def _plane(found: Mapping[str, Any], path: Path) -> Path:
    """Draw style reached against content kept: every row, its intervals, and what needs no learning."""
    figure, axes = _figure(7.4, 5.6)
    rows = found["rows"]
    _draw_line(axes, rows)
    models = iter(COLORS)
    for row in (row for row in rows if row["kind"] != "recoloring"):
        _mark(axes, row, next(models, QUIET) if row["kind"] == "model" else QUIET)
    _label_plane(axes, rows[0]["mark"])
    _name_rows(axes, [row for row in rows if row["kind"] != "recoloring"])
    return _save(figure, path)


def _draw_line(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw the recoloring curve, and a straight line from its best point to copied pictures."""
    by_name = {row["name"]: row for row in rows}
    curve = [row for name in CURVE if (row := by_name.get(name))]
    axes.plot(*_points(curve), color=QUIET, linewidth=2, label="recoloring, strength 0 to 1", zorder=1)
    line = [max(curve, key=lambda row: _steepness(row, by_name[COPY])), by_name[COPY]]
    axes.plot(
        *_points(line), color=QUIET, linewidth=1, linestyle="--", label="recoloring or copying, by chance", zorder=1
    )


def _steepness(row: Row, copy: Row) -> float:
    """How high a straight line from copied pictures rises above them for the content that it gains."""
    (x, y), (left, top) = (_point(one) for one in (row, copy))
    return (y - top) / (x - left)


def _points(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    places = [_point(row) for row in rows]
    return [x for x, _ in places], [y for _, y in places]


def _point(row: Row) -> tuple[float, float]:
    return row["content"]["value"], row["style"]["value"]


def _mark(axes: Axes, row: Row, color: str) -> None:
    """Draw a row as a point with its intervals as bars."""
    (x, y), model = _point(row), row["kind"] == "model"
    marker, size = ("D", 8) if model else ("o", 5)
    bars = _bar(row["style"]), _bar(row["content"])
    axes.errorbar(x, y, *bars, color=color, marker=marker, markersize=size, capsize=3, zorder=3)


def _bar(of: Mapping[str, float]) -> list[list[float]]:
    """How far an interval reaches below and above its value."""
    return [[max(0.0, of["value"] - of["low"])], [max(0.0, of["high"] - of["value"])]]


def _name_rows(axes: Axes, rows: Sequence[Row]) -> None:
    """Letter each point's name to its right, from below, as far up as keeps it clear of the name below."""
    lowest = 0.0
    models = iter(COLORS)
    colors = {row["name"]: next(models, QUIET) for row in rows if row["kind"] == "model"}
    pixels = DOTS / 72
    for row in sorted(rows, key=lambda row: _point(row)[1]):
        _, height = axes.transData.transform(_point(row))
        lowest = max(height, lowest + LINE * pixels)
        axes.annotate(
            row["name"],
            _point(row),
            textcoords="offset points",
            xytext=(10, (lowest - height) / pixels + 3),
            color=colors.get(row["name"], QUIET),
            fontsize=11,
            fontweight="bold" if row["name"] in colors else "normal",
        )


def _label_plane(axes: Axes, mark: str) -> None:
    axes.set_xlabel("content kept  (1: the photograph itself)", fontsize=11)
    axes.set_ylabel("style reached  (1: the collection itself)", fontsize=11)
    doubt = f"\n{mark} few pictures" if mark else ""
    axes.set_title(f"Above the line: style that recoloring does not give{doubt}", fontsize=11)
    axes.grid(color="#d8dee4", linewidth=0.6)
    axes.margins(0.08)
    left, right = axes.get_xlim()
    axes.set_xlim(left, right + 0.17 * (right - left))  # room for names
    axes.legend(loc="best", fontsize=9, frameon=False)


def _grid(one: Mapping[str, Any], folder: Path) -> Path:
    """Draw source, reference and result of the best, the median and the worst by a score."""
    figure = Figure(figsize=(7.2, 7.4), dpi=DOTS, layout="constrained")
    FigureCanvasAgg(figure)
    cells = figure.subplots(len(RANKS), 3)
    for place, (number, value) in enumerate(zip(one["numbers"], one["values"], strict=True)):
        for axes, part in zip(cells[place], ("source", "reference", "result"), strict=True):
            axes.imshow(read(folder / picture_name(one["model"], number, part)))
            axes.set_xticks([])
            axes.set_yticks([])
            if place == 0:
                axes.set_title({"reference": "style reference"}.get(part, part), fontsize=11)
        cells[place][0].set_ylabel(f"{RANKS[place]}  {value:.3f}", fontsize=11)
    figure.suptitle(f"{one['model']} by {one['score']}", fontsize=12)
    return _save(figure, folder / grid_name(one["model"], one["score"]))


def grid_name(model: str, score: str) -> str:
    """Say in which file of the report folder a comparison grid is kept."""
    plain = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in f"{model}-{score}")
    return f"comparison-{plain}.png"


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=DOTS, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, metadata={"Software": None})
    return path
