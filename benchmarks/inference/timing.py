"""Ways to do the same, timed in turns, so that whatever else a machine does meets all of them."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

Clock = Callable[[], float]
CLOCKS: Mapping[str, Clock] = {"wall": time.perf_counter, "processor": time.process_time}
PAUSE = 0.1
"""Seconds before every turn: threads of the way before it look for work for a while after it, and take processors."""


def interleaved(
    ways: Mapping[str, Callable[[], object]], rounds: int, clock: Clock, *, warm_up: int = 1
) -> dict[str, list[float]]:
    """Do all ways once a round, the first rounds uncounted; seconds of every round by way.

    Every other round goes through them backwards, so that none always follows the same one.
    """
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + warm_up):
        names = list(ways)[:: -1 if number % 2 else 1]
        for name in names:
            time.sleep(PAUSE)
            began = clock()
            ways[name]()
            if number >= warm_up:
                taken[name].append(clock() - began)
    return taken


def told(taken: Mapping[str, list[float]], baseline: str) -> dict[str, dict[str, Any]]:
    """Milliseconds (median and least) of every way, and how many times as fast as the baseline it is.

    The ratio is the median over the rounds, each with the baseline of the same round.
    """
    return {
        name: {
            "milliseconds": round(1000 * statistics.median(times), 2),
            "least_milliseconds": round(1000 * min(times), 2),
            "times_as_fast": round(statistics.median(ratios(taken[baseline], times)), 3),
            "rounds": len(times),
        }
        for name, times in taken.items()
    }


def ratios(baseline: list[float], times: list[float]) -> list[float]:
    """How many times as fast as the baseline, round by round."""
    return [slow / fast for slow, fast in zip(baseline, times, strict=True)]
