"""Training: the only package that knows Lightning and Hydra."""
