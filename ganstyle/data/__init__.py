"""Folders and generators of pictures, as seeded examples."""
