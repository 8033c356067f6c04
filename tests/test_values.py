"""Values of a configuration: what is taken, and the one sentence of what is not."""

import math

import pytest

from ganstyle.errors import ConfigError
from ganstyle.values import number, one_of, whole


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_numbers_between_both_ends_are_taken(value: float) -> None:
    assert number("knob", value, least=0, most=1) == value


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, True, "1", None])
def test_other_numbers_are_refused_with_what_is_allowed(value: object) -> None:
    with pytest.raises(ConfigError, match=r"knob must be a number of at least 0 and at most 1, but got "):
        number("knob", value, least=0, most=1)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_number_is_finite(value: float) -> None:
    with pytest.raises(ConfigError, match=r"knob must be a number, but got "):
        number("knob", value)


@pytest.mark.parametrize("value", [0, 1.5, True, "2", math.inf])
def test_a_whole_number_is_one(value: object) -> None:
    assert whole("knob", 1, least=1) == 1
    with pytest.raises(ConfigError, match=r"knob must be a whole number of at least 1, but got "):
        whole("knob", value, least=1)


def test_a_quoted_no_is_not_false_and_the_nearest_name_is_suggested() -> None:
    one_of("knob", False, (True, False))
    one_of("knob", "zero", ("zero", "reflect"))
    with pytest.raises(ConfigError, match="knob cannot be 'no'"):
        one_of("knob", "no", (True, False))
    with pytest.raises(ConfigError, match=r"knob cannot be 'zeros'; did you mean 'zero'\?"):
        one_of("knob", "zeros", ("zero", "reflect"))
