"""What the measurements are held to, and whether they keep it."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Row = Mapping[str, Any]
Result = Mapping[str, Any]
FAST = "times as fast as eager"


class Bar(NamedTuple):
    """One sentence that measurements keep or not."""

    says: str
    limit: float
    measured: Callable[[Result], float | None]
    """Nothing where it was not measured."""
    at_most: bool = False

    def judged(self, result: Result) -> dict[str, Any]:
        """Compare a result with it."""
        found = self.measured(result)
        met = None if found is None else found <= self.limit if self.at_most else found >= self.limit
        return {"bar": self.says, "limit": self.limit, "measured": found and round(found, 3), "met": met}


def _fast(arm: str, of: Callable[[Sequence[float]], float], *, trained: bool = False) -> Callable[[Result], Any]:
    """How many times as fast as eager an arm is, over its rows of all networks and sizes."""

    def measured(result: Result) -> float | None:
        known = _passed(result, arm) if trained else None
        rows = [row for row in result.get("rows", []) if row["arm"] == arm]
        return _over([row["times_as_fast"] for row in rows if known is None or row["network"] in known], of)

    return measured


def _passed(result: Result, arm: str) -> set[str]:
    """The trained networks whose export passed parity."""
    reports = [report for report in result.get("parity", []) if report["arm"] == arm]
    return {report["network"] for report in reports if report["passed"] and report["trained"]}


def _over(values: Iterable[float], of: Callable[[Sequence[float]], float]) -> float | None:
    found = list(values)
    return of(found) if found else None


def _choice(result: Result) -> float | None:
    """How the pace of the file that `auto` takes compares with the fastest that passed parity; of the worst network."""
    passed = {(report["network"], report["arm"]) for report in result.get("parity", []) if report["passed"]}
    shares = []
    for network, arm in result.get("auto", {}).items():
        rows = [row for row in result.get("rows", []) if row["network"] == network]
        pace = {row["arm"]: [r["times_as_fast"] for r in rows if r["arm"] == row["arm"]] for row in rows}
        known = {name: statistics.median(found) for name, found in pace.items() if (network, name) in passed}
        if arm in known:
            shares.append(known[arm] / max(known.values()))
    return min(shares) if shares else None


def _deployment(result: Result) -> float | None:
    found = result.get("deployment")
    return found["times_as_fast"] if found else None


def _share(result: Result) -> float | None:
    return _over([row["share"] for row in result.get("folders", []) if row["format"] == "jpg"], min)


def _start(result: Result) -> float | None:
    """The slowest; nothing where one of them imports PyTorch."""
    rows = [row for row in result.get("starts", []) if row["arm"] != "PyTorch"]
    return None if any(row["imports_torch"] for row in rows) else _over([row["wall"] for row in rows], max)


BARS = (
    Bar(f"OpenVINO bf16, {FAST}, median of the rows", 2.9, _fast("openvino bf16", statistics.median)),
    Bar(f"OpenVINO bf16, {FAST}, worst row", 2.5, _fast("openvino bf16", min)),
    Bar(f"onnxruntime, {FAST}, median of the rows", 1.3, _fast("onnxruntime", statistics.median)),
    Bar(
        f"OpenVINO int8 of a trained network within 40 dB, {FAST}, median of its rows",
        5.0,
        _fast("openvino int8", statistics.median, trained=True),
    ),
    Bar("what `auto` takes, share of the pace of the fastest that passed parity, worst network", 0.9, _choice),
    Bar("light generator in int8 at 512 x 512, times as fast as the eager ResNet-9", 25.0, _deployment),
    Bar("folder of JPEGs: share of the network's own pace, worst file", 0.85, _share),
    Bar("cold start of an exported light generator, seconds, worst file", 1.5, _start, True),
)


def judged(result: Result) -> list[dict[str, Any]]:
    """Hold a result to all bars."""
    return [bar.judged(result) for bar in BARS]
