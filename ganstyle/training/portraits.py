"""Pictures of a sweep: how the best score came about, what mattered, and which values went together."""

import warnings
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
import optuna
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial

from ganstyle.training.search import Choice, Dimension
from ganstyle.training.study import Plan

DOTS = 130
"""Pixels per inch."""
DOT, BEST = "#57606a", "#d55e00"
LEAST = 4
"""Complete trials from which it can be said what mattered."""


def draw(study: optuna.Study, complete: Sequence[FrozenTrial], plan: Plan) -> list[Path]:
    """Draw what the trials that ended with a score can show, and return the paths."""
    drawn = [_history(complete, plan), _parallel(complete, plan)]
    if len(complete) >= LEAST and len({one.value for one in complete}) > 1:
        drawn.append(_importance(study, plan))
    return drawn


def importance(study: optuna.Study) -> dict[str, float]:
    """Say how much each varied key decided whether a trial was among the better ones: shares that sum to 1.

    Source: Watanabe et al. 2023, PED-ANOVA.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())


def _history(complete: Sequence[FrozenTrial], plan: Plan) -> Path:
    """Every trial's score, and the best so far."""
    figure = Figure(figsize=(7.0, 4.0), layout="constrained")
    axes = figure.add_subplot()
    trials = sorted(complete, key=lambda one: one.number)
    numbers, scores = [one.number for one in trials], [one.value or 0.0 for one in trials]
    axes.scatter(numbers, scores, color=DOT, s=18, label="trial")
    best = list(accumulate(scores, max if plan.search.maximizes else min))
    axes.step(numbers, best, where="post", color=BEST, linewidth=2, label="best so far")
    axes.set(xlabel="trial", ylabel=plan.search.score)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    return _save(figure, plan.folder / "history.png")


def _importance(study: optuna.Study, plan: Plan) -> Path:
    """A bar for every key that was varied, the one that mattered most on top."""
    shares = dict(reversed(importance(study).items()))
    figure = Figure(figsize=(7.0, 1.2 + 0.4 * len(shares)), layout="constrained")
    axes = figure.add_subplot()
    axes.barh(list(shares), list(shares.values()), color=DOT)
    axes.set(xlabel=f"share in {plan.search.score} (PED-ANOVA)", xlim=(0, 1))
    return _save(figure, plan.folder / "importance.png")


def _parallel(complete: Sequence[FrozenTrial], plan: Plan) -> Path:
    """A line for every trial through what it varied, colored by its score; the better ones lie on top."""
    keys = list(plan.search.space)
    figure = Figure(figsize=(2.0 + 1.8 * len(keys), 4.5), layout="constrained")
    axes = figure.add_subplot()
    scores = [one.value or 0.0 for one in complete]
    scale = ScalarMappable(Normalize(min(scores), max(scores)), colormaps["viridis"])
    places = range(len(keys))
    for one in reversed(complete):
        heights = [_height(plan.search.space[key], one.params[key]) for key in keys]
        axes.plot(places, heights, color=scale.to_rgba(np.array(one.value or 0.0)), alpha=0.8, marker="o", markersize=3)
    axes.set(xticks=list(places), yticks=[], ylim=(-0.05, 1.05), xlim=(-0.2, max(len(keys) - 0.8, 0.2)))
    axes.set_xticklabels([key.rpartition(".")[0].rpartition(".")[2] + "\n" + key.rpartition(".")[2] for key in keys])
    for place, key in enumerate(keys):
        _scale(axes, place, plan.search.space[key])
    figure.colorbar(scale, ax=axes, label=plan.search.score)
    return _save(figure, plan.folder / "parallel.png")


def _height(of: Dimension, value: object) -> float:
    """Where a value lies between the ends of its axis, 0 to 1."""
    if isinstance(of, Choice):
        return of.texts.index(str(value)) / (len(of.texts) - 1)
    low, high, at = (float(end) for end in (of.low, of.high, float(str(value))))
    if of.log:
        low, high, at = (float(np.log(end)) for end in (low, high, at))
    return (at - low) / (high - low)


def _scale(axes: Axes, place: int, of: Dimension) -> None:
    """Letter an axis: its choices, or its ends."""
    axes.axvline(place, color=DOT, linewidth=0.8, zorder=0)
    marks = of.texts if isinstance(of, Choice) else (f"{of.low:g}", f"{of.high:g}")
    for number, text in enumerate(marks):
        height = number / (len(marks) - 1)
        axes.annotate(text, (place, height), xytext=(4, 2), textcoords="offset points", fontsize=8, color=DOT)


def _save(figure: Figure, path: Path) -> Path:
    FigureCanvasAgg(figure).print_figure(path, dpi=DOTS)
    return path
