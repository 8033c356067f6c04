"""Values that a user configures, checked where they are used; every message names the key."""

from collections.abc import Sequence
from math import isinf

from ganstyle.errors import ConfigError, suggestion

INFINITE = float("inf")


def number(key: str, value: object, *, least: int | float = -INFINITE, most: int | float = INFINITE) -> float:
    """Return a configured value as a finite number between the two, or raise a ConfigError that names its key."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most or isinf(value):
        at_least = "" if least == -INFINITE else f" of at least {least:g}"
        at_most = "" if most == INFINITE else f" and at most {most:g}"
        raise ConfigError(f"{key} must be a number{at_least}{at_most}, but got {value!r}.")
    return float(value)


def whole(key: str, value: object, *, least: int) -> int:
    """Return a configured value as a whole number of at least `least`, or raise a ConfigError that names its key."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"{key} must be a whole number of at least {least}, but got {value!r}.")
    return value


def one_of(key: str, value: object, known: Sequence[object]) -> None:
    """Refuse a configured value that is not among the known ones, suggesting the nearest."""
    if not any(value is choice or (value == choice and isinstance(value, str)) for choice in known):
        names = [str(choice).lower() for choice in known]
        raise ConfigError(f"{key} cannot be {value!r}{suggestion(str(value), names)}")
