"""From a trained artifact to a restyled picture.

What is named here is imported when it is first asked for: an exported model needs no PyTorch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganstyle.stylize.network import Stylizer, load, stylize

__all__ = ["Stylizer", "load", "stylize"]


def __getattr__(name: str) -> Any:
    """Import on first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ganstyle.stylize import network

    return getattr(network, name)
