"""The bars of a compression are held to every rung as they are written."""

from typing import Any

from benchmarks.compress import _verdict, compared

TEACHER: dict[str, Any] = {"content": 0.8, "style": 0.4, "edge_correlation": 0.9, "gram": 0.3}


def row(**changed: float) -> dict[str, Any]:
    smaller = {"parameters_times_smaller": 12.0, "multiply_adds_times_smaller": 8.0, "milliseconds_times_smaller": 5.0}
    return {**TEACHER, **smaller, **changed}


def test_a_rung_at_every_bar_meets_it() -> None:
    at_the_bar = row(content=0.8 * 0.95 + 1e-9, style=0.4 * 0.95 + 1e-9, gram=0.3 * 1.05 - 1e-9)
    assert all(bar["met"] for bar in compared(TEACHER, at_the_bar).values())
    assert _verdict("int8", compared(TEACHER, at_the_bar)) == "int8 meets every bar"


def test_what_is_missed_is_named_with_its_value() -> None:
    found = compared(TEACHER, row(style=0.37, gram=0.32, multiply_adds_times_smaller=7.9))
    assert {name for name, bar in found.items() if not bar["met"]} == {"style", "gram", "multiply_adds"}
    assert _verdict("pruned", found) == "pruned misses multiply_adds (7.9), style (0.37), gram (0.32)"


def test_a_teacher_below_zero_may_be_missed_by_a_share_of_its_size_only() -> None:
    teacher = TEACHER | {"style": -0.2}
    assert compared(teacher, row(style=-0.205))["style"]["met"]
    assert not compared(teacher, row(style=-0.22))["style"]["met"]
