"""From a trained artifact to a restyled picture."""

from ganstyle.stylize.network import Stylizer, load, stylize

__all__ = ["Stylizer", "load", "stylize"]
