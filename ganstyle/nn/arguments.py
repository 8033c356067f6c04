"""Networks that remember how they were built, so that an artifact can build them again."""

import inspect
from collections.abc import Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar

from torch import nn

from ganstyle.errors import ConfigError

Network = TypeVar("Network", bound=nn.Module)


def records_arguments(cls: type[Network]) -> type[Network]:
    """Record in `network.arguments` what the constructor got, defaults applied, as plain values.

    `cls(**network.arguments)` builds an equal network, up to its weights.
    Raises ConfigError for an argument that JSON could not hold.
    """
    construct = cls.__init__
    signature = inspect.signature(construct)

    @wraps(construct)
    def record(self: Network, *args: Any, **kwargs: Any) -> None:
        construct(self, *args, **kwargs)
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        values = list(bound.arguments.items())[1:]
        recorded = {name: plain(value, f"{cls.__name__}.{name}") for name, value in values}
        self.arguments = recorded  # type: ignore[assignment]  # nn.Module knows tensors and modules only

    cls.__init__ = record  # type: ignore[method-assign, assignment]
    return cls


def plain(value: Any, name: str) -> Any:
    """Turn lists, tuples and mappings of any kind into lists and dicts of numbers, strings, booleans and None."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item, f"{name}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item, f"{name}[{n}]") for n, item in enumerate(value)]
    raise ConfigError(
        f"{name} is a {type(value).__name__}, which an artifact cannot record; give plain numbers or text."
    )


def require_count(argument: str, count: int, least: int = 1) -> None:
    """Raise ConfigError for a count, such as `generator.blocks`, that is too low to build a network."""
    if count < least:
        raise ConfigError(f"{argument} is {count}, but must be at least {least}.")
