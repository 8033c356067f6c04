"""Values that a user configures, checked where they are used; every message names the key."""

from collections.abc import Sequence

from ganstyle.errors import ConfigError, suggestion


def number(key: str, value: object, *, least: int | float = float("-inf")) -> float:
    """Return a configured value as a number of at least `least`, or raise a ConfigError that names its key."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
        at_least = "" if least == float("-inf") else f" of at least {least:g}"
        raise ConfigError(f"{key} must be a number{at_least}, but got {value!r}.")
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
