"""Pictures of a training run, drawn from its folder: losses by player, scores, learning rates, health events."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator

from ganstyle.metrics.recorded import Curve, Event, Recorded, recorded

FOLDER = "figures"
DOTS = 130
"""Pixels per inch."""
COLUMNS = 3
WIDTH, HEIGHT = 3.3, 2.3
"""Of a panel, in inches."""
TRAIN, HELD_OUT = "#0072b2", "#d55e00"
"""Blue and vermilion of Okabe & Ito 2008, which color-blind readers tell apart."""
ALARMS = ("#b00020", "#7b1fa2", "#00695c", "#6d4c41", "#1f2328")
"""Of health events, in the order of their first appearance."""
SMOOTHED = 25
"""Points of the thick line: each is the mean over a window of one 25th of the run."""
PLACE = ("quality/gain", "quality/content", "quality/style")
BOOKKEEPING = ("quality/share", "quality/best", "quality/evaluations_since_best")
Panels = Mapping[str, Mapping[str, Sequence[str]]]
"""Heading of a block -> title of a panel -> names of the curves in it."""


def draw_curves(run_folder: Path | str, into: Path | None = None) -> list[Path]:
    """Draw every curve that a run saved, and return the paths: losses, scores, rates, health.

    They go to the run's own `figures` folder, or into another one, e.g. a report's.
    A figure for which nothing was saved is left out.

    Raises:
        DataError: the folder holds no curves, or a file that cannot be read.
    """
    run = recorded(run_folder)
    folder = into or Path(run_folder) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {"losses": _losses(run), "scores": _scores(run), "rates": _rates(run), "health": _health(run)}
    return [_draw(run, panels, folder / f"{name}.png") for name, panels in drawn.items() if panels]


def _losses(run: Recorded) -> Panels:
    """A block for each player, a panel for each of its terms: the curve in training, and on held-out pictures."""
    blocks: dict[str, dict[str, list[str]]] = {}
    for name in run.curves:
        stage, _, rest = name.partition("/")
        player, _, term = rest.partition("/")
        if stage in ("train", "val") and term:
            blocks.setdefault(player, {}).setdefault(term, []).append(name)
    return dict(sorted(blocks.items(), key=lambda block: block[0] != "generator"))


def _scores(run: Recorded) -> Panels:
    """What held-out pictures were given: the place among baselines, the single scores, what validation adds."""
    single = [name for name in run.curves if name.startswith("quality/") and name.count("/") == 1]
    blocks = {
        "place among the baselines": [name for name in PLACE if name in single],
        "scores": [name for name in single if name not in (*PLACE, *BOOKKEEPING)],
        "validation": [name for name in run.curves if name.startswith("val/") and name.count("/") == 1],
    }
    return {heading: {name.partition("/")[2]: [name] for name in names} for heading, names in blocks.items() if names}


def _rates(run: Recorded) -> Panels:
    """Learning rates, and how fast the run was."""
    shown = {f"learning rate, {name.removeprefix('lr/')}": [name] for name in run.curves if name.startswith("lr/")}
    if "images_per_second" in run.curves:
        shown["images per second"] = ["images_per_second"]
    return {"pace": shown} if shown else {}


def _health(run: Recorded) -> Panels:
    """What the watch over training read; its verdicts are the vertical lines of every figure."""
    verdicts = {f"health/{event.name}" for event in run.events}
    names = [name for name in run.curves if name.startswith("health/") and name not in verdicts]
    return {"readings of the watch": {name.partition("/")[2]: [name] for name in names}} if names else {}


def _draw(run: Recorded, panels: Panels, path: Path) -> Path:
    """Lay blocks out below each other, the panels of each in rows of three."""
    rows = [-(-len(block) // COLUMNS) for block in panels.values()]
    columns = min(COLUMNS, max(len(block) for block in panels.values()))
    size = (max(2, columns) * WIDTH, sum(rows) * HEIGHT + 0.35 * len(rows) + (1.0 if run.events else 0.7))
    figure = Figure(figsize=size, dpi=DOTS, layout="constrained")
    FigureCanvasAgg(figure)
    parts = figure.subfigures(len(rows), 1, height_ratios=rows, squeeze=False)[:, 0]
    for part, (heading, block), height in zip(parts, panels.items(), rows, strict=True):
        part.suptitle(heading, fontsize=11, fontweight="bold")
        _fill(part, block, run, (height, columns))
    shows_quality = any(
        name.startswith("quality/") for block in panels.values() for names in block.values() for name in names
    )
    title = f"{run.title}\n{run.protocol}" if shows_quality and run.protocol else run.title
    figure.suptitle(title, fontsize=9, color="#57606a")
    _explain(figure, panels, run.events)
    figure.savefig(path, metadata={"Software": None})
    return path


def _fill(part: SubFigure, block: Mapping[str, Sequence[str]], run: Recorded, shape: tuple[int, int]) -> None:
    cells = part.subplots(*shape, squeeze=False).flatten()
    colors = _colors(run.events)
    for axes, (title, names) in zip(cells, block.items(), strict=False):
        for name in names:
            _line(axes, name, run.curves)
        for event in run.events:
            axes.axvline(event.images, color=colors[event.name], linewidth=1, linestyle="--", zorder=1)
        _label(axes, title)
    for axes in cells[len(block) :]:
        axes.remove()


def _line(axes: Axes, name: str, curves: Mapping[str, Curve]) -> None:
    """Draw a curve: held-out ones as points with their intervals, those of training noisy below their mean."""
    curve = curves[name]
    if name.startswith(("val/", "quality/")):
        _band(axes, name, curves)
        axes.plot(*curve, color=HELD_OUT, marker="o", markersize=3.5, linewidth=1.3, zorder=3)
    elif name.startswith("train/"):
        axes.plot(*curve, color=TRAIN, linewidth=0.6, alpha=0.35)
        axes.plot(*smoothed(curve), color=TRAIN, linewidth=1.6)
    else:
        axes.plot(*curve, color=TRAIN, linewidth=1.4)
        if not name.startswith("health/"):
            axes.set_ylim(0, 1.08 * max(*curve.values, 1e-12))


def _band(axes: Axes, name: str, curves: Mapping[str, Curve]) -> None:
    """Shade the interval of a score, where both of its ends were saved."""
    low, high = curves.get(f"{name}/low"), curves.get(f"{name}/high")
    if low is not None and high is not None and low.images == high.images:
        axes.fill_between(low.images, low.values, high.values, color=HELD_OUT, alpha=0.18, linewidth=0)


def smoothed(curve: Curve) -> Curve:
    """Average a curve over a centered window of one 25th of its points; at the ends the window is cut off."""
    reach = len(curve.values) // (2 * SMOOTHED)
    total = np.concatenate([[0.0], np.cumsum(curve.values)])
    places = np.arange(len(curve.values))
    first, last = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(places))
    return Curve(curve.images, tuple(((total[last] - total[first]) / (last - first)).tolist()))


def _label(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=9.5)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.grid(color="#d8dee4", linewidth=0.6)
    axes.margins(x=0.02)


def _explain(figure: Figure, panels: Panels, events: Sequence[Event]) -> None:
    """Say below the panels what the axis and the kinds of line are, and what the health monitor saw when."""
    names = [name for block in panels.values() for curves in block.values() for name in curves]
    lines = [Line2D([], [], linestyle="", label="horizontally: images seen")]
    if any(name.startswith("train/") for name in names):
        lines.append(Line2D([], [], color=TRAIN, label="training, and its running mean"))
    if any(name.startswith(("val/", "quality/")) for name in names):
        lines.append(Line2D([], [], color=HELD_OUT, marker="o", markersize=4, label="held-out pictures"))
    for (_, color), text in zip(_colors(events).items(), told(events), strict=True):
        lines.append(Line2D([], [], color=color, linestyle="--", label=text))
    figure.legend(handles=lines, loc="outside lower center", ncols=3, fontsize=8.5, frameon=False)


def _colors(events: Iterable[Event]) -> dict[str, str]:
    """Give each kind of event a color."""
    return dict(zip(dict.fromkeys(event.name for event in events), cycle(ALARMS), strict=False))


def told(events: Iterable[Event]) -> list[str]:
    """Word events by name, each with the counts of images at which it was seen, e.g. "mode-collapse at 4k, 8k"."""
    places: dict[str, list[str]] = {}
    for event in events:
        places.setdefault(event.name, []).append(EngFormatter(sep="").format_eng(event.images))
    return [f"{name} at {', '.join(at)}" for name, at in places.items()]
