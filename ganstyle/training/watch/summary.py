"""From readings and comparisons to evidence: sums over the readings between two looks."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from ganstyle.training.watch.evidence import Evidence

Numbers = Mapping[str, float]


def summary(images_seen: int, readings: Sequence[Numbers], compared: Numbers) -> Evidence:
    """Sum up what the readings show and how pictures compare; a name that no reading has is left out."""
    names = sorted({name for reading in readings for name in reading})
    every = {name: [reading[name] for reading in readings if name in reading] for name in names}
    mean = {name: fmean(values) for name, values in every.items()} | dict(compared)
    steepest = {name: max(values) for name, values in every.items() if name.startswith("gradient/")}
    return Evidence(
        images_seen=images_seen,
        losses=_under("loss/", mean),
        gradients=_under("gradient/", mean),
        steepest=_under("gradient/", steepest),
        weights=_under("weight/", mean),
        real=mean.get("real"),
        fake=mean.get("fake"),
        surprise=mean.get("surprise"),
        logits=_under("logit/", mean),
        contrast=_ratio(mean, "deviation/generated", "deviation/target"),
        low=min(every["low"]) if "low" in every else None,
        high=max(every["high"]) if "high" in every else None,
        change=_ratio(mean, "change", "deviation/source"),
        rank=_ratio(mean, "rank/generated", "rank/target"),
        spread=_ratio(mean, "spread/generated", "spread/target"),
        distinct=mean.get("distinct/target"),
        nearness=_ratio(mean, "nearest/generated", "nearest/held_out"),
    )


def _under(prefix: str, values: Numbers) -> dict[str, float]:
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def _ratio(values: Numbers, part: str, whole: str) -> float | None:
    if part not in values or whole not in values or values[whole] == 0:
        return None
    return values[part] / values[whole]
