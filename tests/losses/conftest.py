"""Laws are tried on the same few examples every time."""

from hypothesis import settings

settings.register_profile("laws", max_examples=20, derandomize=True, database=None)
settings.load_profile("laws")
