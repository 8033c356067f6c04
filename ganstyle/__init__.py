"""Train, judge and ship style-transfer GANs.

>>> import ganstyle
>>> van_gogh = ganstyle.load("examples/models/vangogh")
>>> painting = van_gogh.stylize(photograph)

A photograph is a Pillow picture, a NumPy array or a tensor, and comes back as what it was.
What is heavy is imported when it is first asked for, so that `import ganstyle` takes no time.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "load", "stylize"]


def __getattr__(name: str) -> Any:
    """Import on first use (PEP 562): `load` reads an artifact, `stylize` is the package that uses one."""
    if name == "load":
        return import_module("ganstyle.stylize").load
    if name == "stylize":
        return import_module("ganstyle.stylize")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
