"""Train, judge and ship style-transfer GANs."""

__version__ = "0.1.0"
